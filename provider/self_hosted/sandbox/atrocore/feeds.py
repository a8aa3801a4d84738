"""Import and export feeds, which say nothing of the jobs they make, and what can be asked of those jobs."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.answers import Call, Refused, answer
from self_hosted.sandbox.atrocore.entities import IMPORT_COUNTS
from self_hosted.sandbox.atrocore.jobs import UNDER_WAY, start
from self_hosted.sandbox.atrocore.state import Record, State


def run_import(state: State, call: Call) -> Response:
    """``ImportFeed/{id}/runImport``: ``true``. Several jobs are made by a job; their parent is there at once."""
    feed = _existing(state, "ImportFeed", call.id or _named(call, "importFeedId"))
    parts, values = state.runs.get(feed["id"], [{}]), {"importFeedId": feed["id"]}
    if len(parts) == 1:
        start(state, "ImportJob", values, parts[0])
    else:
        parent = start(state, "ImportJob", values, {})
        state.courses.pop()  # it follows its parts
        made = [("ImportJob", {**values, "parentId": parent["id"]}, part) for part in parts]
        start(state, "Job", {"type": "ImportJobCreator"}, {}, made)
    return answer(True)


def export_file(state: State, call: Call) -> Response:
    """``ExportFeed/{id}/exportFile``: ``true``, and the jobs are made by a job; ``false`` for an inactive feed."""
    feed = _existing(state, "ExportFeed", call.id or _named(call, "id"))
    if not feed["isActive"]:
        return answer(False)
    parts = state.runs.get(feed["id"], [{}])
    made = [("ExportJob", {"exportFeedId": feed["id"]}, {"fileId": state.new_id(), **part}) for part in parts]
    start(state, "Job", {"type": "ExportJobCreator", "payload": {"feed": {"id": feed["id"]}}}, {}, made)
    return answer(True)


def record_counters(state: State, call: Call) -> Response:
    """``ImportJob/{id}/recordCounters``: also of jobs whose record does not tell."""
    job = _existing(state, "ImportJob", call.id)
    counts = {**dict.fromkeys(IMPORT_COUNTS, 0), **state.counters.get(call.id, {})}
    return answer({
        "id": job["id"],
        "state": job["state"],
        **{name: counts[name] if job.get(name) is None else job[name] for name in IMPORT_COUNTS},
    })


def cancel_export(state: State, call: Call) -> Response:
    """``ExportJob/{id}/cancel``: ``false`` for one that has ended."""
    job = _existing(state, "ExportJob", call.id)
    under_way = job["state"] in UNDER_WAY
    if under_way:
        job["state"] = "Canceled"
    return answer(under_way)


def check_background_processing(state: State, call: Call) -> Response:
    """``checkBackgroundProcessing``: whether cron or the daemon runs."""
    return answer(state.cron)


def _existing(state: State, entity: str, id_: str) -> Record:
    record = state.records[entity].get(id_)
    if record is None or record["deleted"]:
        raise Refused(404)
    return record


def _named(call: Call, name: str) -> Any:
    return (call.body or {}).get(name, "")
