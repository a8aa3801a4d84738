"""The import time of the provider: each DAG file imports the operators, each start of Airflow the provider info.

    python -m benchmarks.import_time

Each import is measured in a fresh process, in CPU time. The imports take turns, so that a busy machine slows all of
them alike, and the ratio of the medians counts. The limits:

- one operator of each product, four in all, after ``airflow.sdk`` with the base operators, which every DAG imports: a
  quarter of the time of the only operator of apache-airflow-providers-http (the extra ``bench``). That operator imports
  its hook, aiohttp and requests. This provider imports HTTP libraries, hooks and flows when a task runs; one of them in
  the wrong place exceeds the limit;
- all operators, which no DAG imports: half of that time;
- the provider info with the connection forms of all products: a hundredth of the start of Airflow, which reads it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

ROUNDS = 5
PRODUCTS = ("assemblyline", "ayon", "rudder", "atrocore")
MAIN_OPERATORS, ALL_OPERATORS, PROVIDER_INFO = "one operator of each product", "all operators", "the provider info"
HTTP_OPERATOR, AIRFLOW = "the operator of the http provider", "the start of Airflow"

# airflow.sdk imports its names on first use
BEFORE_OPERATORS = (
    "import time\nfrom airflow.sdk import BaseOperator, BaseSensorOperator\nstart = time.process_time()\n"
)
AT_START = "import __future__, collections.abc, time, typing\nstart = time.process_time()\n"
IMPORTS = {
    MAIN_OPERATORS: BEFORE_OPERATORS
    + """
from self_hosted.assemblyline.operators import AssemblylineSubmitFileOperator
from self_hosted.ayon.operators import AyonCreateProjectOperator
from self_hosted.rudder.operators import RudderUpdateRuleOperator
from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator
""",
    ALL_OPERATORS: BEFORE_OPERATORS + "\n".join(f"from self_hosted.{name}.operators import *" for name in PRODUCTS),
    HTTP_OPERATOR: BEFORE_OPERATORS + "from airflow.providers.http.operators.http import HttpOperator",
    PROVIDER_INFO: AT_START + "import self_hosted.provider_info as info\ninfo.get_provider_info()",
    AIRFLOW: AT_START + "import airflow",
}
LIMITS = {MAIN_OPERATORS: (HTTP_OPERATOR, 0.25), ALL_OPERATORS: (HTTP_OPERATOR, 0.5), PROVIDER_INFO: (AIRFLOW, 0.01)}


def measure(code: str) -> float:
    """Return the milliseconds of CPU time that code takes in a fresh process."""
    command = [sys.executable, "-c", f"{code}\nprint(time.process_time() - start)"]
    # compiled modules are kept, as in an installation; otherwise each run would measure the compiler
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return 1000 * float(done.stdout)


def measure_all() -> dict[str, float]:
    """Return the median of each import; a first round, which compiles the modules, does not count."""
    rounds = [{name: measure(code) for name, code in IMPORTS.items()} for _ in range(ROUNDS + 1)][1:]
    return {name: statistics.median(times[name] for times in rounds) for name in IMPORTS}


def check(name: str, medians: dict[str, float]) -> bool:
    """Print a ratio, and return whether it is within its limit."""
    peer, limit = LIMITS[name]
    ratio = medians[name] / medians[peer]
    print(f"{'PASS' if ratio <= limit else 'FAIL'}  {name}: {ratio:.3f} times {peer}; limit {limit:g}")
    return ratio <= limit


def main() -> int:
    """Measure all; return 0 only if all ratios are within their limits."""
    medians = measure_all()
    for name, median in medians.items():
        print(f"{name:40} {median:7.1f} ms of CPU")
    return 0 if all([check(name, medians) for name in LIMITS]) else 1


if __name__ == "__main__":
    sys.exit(main())
