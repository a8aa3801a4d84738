"""The example DAGs for an Airflow on this machine: the files that they read and write are in a folder of the demo."""

from __future__ import annotations

import shutil
from pathlib import Path


def copy_example_dags(source: Path, target: Path, srv: Path) -> None:
    """Copy the example DAGs.

    :param source: the folder of the example DAGs
    :param target: the folder for the copies, emptied before
    :param srv: the folder that replaces ``/srv``, which only root can write to
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in sorted(source.glob("*.py")):
        text = path.read_text(encoding="utf-8").replace('"/srv', f'"{srv}')
        (target / path.name).write_text(text, encoding="utf-8")
