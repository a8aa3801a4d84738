"""The import time of the provider: each DAG file imports the operators, each start of Airflow the provider info.

    python -m benchmarks.import_time

Measures in fresh processes with ``python -X importtime`` and takes the median of several runs. The limits:

- 30 ms for one operator of each product, after airflow.sdk;
- 60 ms for all operators, which no DAG imports;
- 5 ms for the provider info, without Airflow.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys

RUNS = 7
PRODUCTS = ("assemblyline", "ayon", "rudder", "atrocore")
LINE = re.compile(r"import time:\s+\d+ \|\s+(\d+) \| (\s*)(\S+)")

# airflow.sdk imports its names on first use
AIRFLOW = "from airflow.sdk import BaseOperator, BaseSensorOperator\n"
MAIN_OPERATORS = (
    AIRFLOW
    + """
from self_hosted.assemblyline.operators import AssemblylineSubmitFileOperator
from self_hosted.ayon.operators import AyonCreateProjectOperator
from self_hosted.rudder.operators import RudderUpdateRuleOperator
from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator
"""
)
ALL_OPERATORS = AIRFLOW + "\n".join(f"from self_hosted.{product}.operators import *" for product in PRODUCTS)
PROVIDER_INFO = """
import __future__, collections.abc, time, typing
import self_hosted.provider_info
start = time.perf_counter()
self_hosted.provider_info.get_provider_info()
print(int((time.perf_counter() - start) * 1e6))
"""


def measure(code: str) -> float:
    """Return the milliseconds that code takes in a fresh process: for the provider's imports, plus the printed time."""
    command = [sys.executable, "-X", "importtime", "-c", code]
    # compiled modules are kept, as in an installation; otherwise each run would measure the compiler
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    # each module is printed after the modules that it imports, which are indented: the least indented ones of the
    # provider include all that they import
    imports = [(len(indent), int(total)) for total, indent, name in LINE.findall(done.stderr) if "self_hosted" in name]
    least = min(indent for indent, _ in imports)
    return (sum(total for indent, total in imports if indent == least) + int(done.stdout or 0)) / 1000


def check(title: str, code: str, limit_ms: float) -> bool:
    """Measure, print, and return whether the median is within the limit."""
    times = [measure(code) for _ in range(RUNS)]
    median = statistics.median(times)
    verdict = "PASS" if median <= limit_ms else "FAIL"
    runs = f"{RUNS} runs from {min(times):.1f} to {max(times):.1f} ms"
    print(f"{verdict}  {title}: {median:.1f} ms; limit {limit_ms:g} ms; {runs}")
    return median <= limit_ms


def main() -> int:
    """Measure all three; return 0 only if all are within their limits."""
    results = [
        check("one operator of each product, after airflow.sdk", MAIN_OPERATORS, 30),
        check("all operators, after airflow.sdk", ALL_OPERATORS, 60),
        check("the provider info, without Airflow", PROVIDER_INFO, 5),
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
