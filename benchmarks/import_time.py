"""What importing the provider costs: every DAG file pays for the operators, every start of Airflow for the description.

    python -m benchmarks.import_time

Measures in fresh processes with ``python -X importtime`` and takes the median of several runs. The limits: 30 ms for
one operator of each product once airflow.sdk is there, twice as much for every operator there is, which no DAG takes; 5
ms for the provider's description without Airflow.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys

RUNS = 7
PRODUCTS = ("assemblyline", "ayon", "rudder", "atrocore")
LINE = re.compile(r"import time:\s+\d+ \|\s+(\d+) \| (\s*)(\S+)")

# airflow.sdk loads its names when they are first asked for
AIRFLOW = "from airflow.sdk import BaseOperator, BaseSensorOperator\n"
HEADLINES = (
    AIRFLOW
    + """
from self_hosted.assemblyline.operators import AssemblylineSubmitFileOperator
from self_hosted.ayon.operators import AyonCreateProjectOperator
from self_hosted.rudder.operators import RudderUpdateRuleOperator
from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator
"""
)
OPERATORS = AIRFLOW + "\n".join(f"from self_hosted.{product}.operators import *" for product in PRODUCTS)
DESCRIPTION = """
import __future__, collections.abc, time, typing
import self_hosted.provider_info
start = time.perf_counter()
self_hosted.provider_info.get_provider_info()
print(int((time.perf_counter() - start) * 1e6))
"""


def cost(code: str) -> float:
    """Milliseconds that code takes in a fresh process: our imports with all they bring along, and what it prints."""
    command = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # a module is printed after those it imports and further left, so ours at the left edge hold all that they brought
    ours = [(len(indent), int(whole)) for whole, indent, name in LINE.findall(done.stderr) if "self_hosted" in name]
    edge = min(indent for indent, _ in ours)
    return (sum(whole for indent, whole in ours if indent == edge) + int(done.stdout or 0)) / 1000


def measured(what: str, code: str, limit: float) -> bool:
    """Measure, print, and say whether the limit is kept."""
    times = [cost(code) for _ in range(RUNS)]
    median = statistics.median(times)
    verdict = "PASS" if median <= limit else "FAIL"
    print(
        f"{verdict}  {what}: {median:.1f} ms; limit {limit:g} ms, {RUNS} runs from {min(times):.1f} to {max(times):.1f}"
    )
    return median <= limit


def main() -> int:
    """Measure both."""
    results = [
        measured("one operator of each product, after airflow.sdk", HEADLINES, 30),
        measured("all operators, after airflow.sdk", OPERATORS, 60),
        measured("the provider's description, without Airflow", DESCRIPTION, 5),
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
