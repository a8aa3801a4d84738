"""How the stand-in comes to hold one more job to wait for, for each question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.conftest import Served
from tests.meta.question_cases import Case


def seeded(entity: str, **course: Any) -> Callable[[Served], str]:
    """A job that runs its course: ``seeded("Job", running=5, status="Failed")``."""

    def seed(served: Served) -> str:
        job_id = uuid4().hex
        served.seed({"jobs": [{"entity": entity, "values": {"id": job_id}, **course}]})
        return job_id

    return seed


def case(entity: str, **outcome: Any) -> Case:
    return Case(seeded(entity, running=0, **outcome), seeded(entity, running=3600), "nosuch")


CASES: dict[str, Case] = {
    "JOB": case("Job", message="done"),
    "IMPORT_JOB": case("ImportJob", createdCount=3),
    "EXPORT_JOB": case("ExportJob", fileId="a-file", count=3),
}
