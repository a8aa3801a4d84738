"""For each wait spec: how the fake server gets one more job to wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.conftest import Served
from tests.meta.wait_cases import WaitCase


def create_job(entity: str, **schedule: Any) -> Callable[[Served], str]:
    """Return a function that adds a job and returns its id: ``create_job("Job", running=5, status="Failed")``."""

    def create(served: Served) -> str:
        job_id = uuid4().hex
        served.seed({"jobs": [{"entity": entity, "values": {"id": job_id}, **schedule}]})
        return job_id

    return create


def case(entity: str, **outcome: Any) -> WaitCase:
    return WaitCase(create_job(entity, running=0, **outcome), create_job(entity, running=3600), "nosuch")


CASES: dict[str, WaitCase] = {
    "JOB": case("Job", message="done"),
    "IMPORT_JOB": case("ImportJob", createdCount=3),
    "EXPORT_JOB": case("ExportJob", fileId="a-file", count=3),
}
