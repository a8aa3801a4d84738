"""The environment variables of an Airflow that shares nothing with any other Airflow on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def build_environment_variables(
    home: Path, dags: Path, url: str, overrides: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Return the variables of all Airflow processes: those of this process, with Airflow's own ones replaced.

    :param home: Airflow's folder
    :param dags: the folder of DAGs
    :param url: base URL of the API server
    :param overrides: additional variables, and other values for those set here
    """
    settings = {
        "AIRFLOW_HOME": home,
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__DAGS_FOLDER": dags,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "AIRFLOW__CORE__LOAD_EXAMPLES": False,
        "AIRFLOW__CORE__PARALLELISM": 4,  # each is a process that waits for work
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": False,  # runs are triggered manually
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.5,
        # the delay until a worker notices the end of its task: it occupies a slot, and a quick trigger looks lost
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": 1,
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": False,
        "NO_PROXY": "127.0.0.1,localhost",  # loopback is reached directly, even where a proxy is set
        "no_proxy": "127.0.0.1,localhost",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    return inherited | {name: str(value) for name, value in (settings | dict(overrides or {})).items()}
