"""Data that tests, demos and benchmarks add."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.atrocore.hooks import get_hooks
from self_hosted.sandbox.atrocore.job_queue import purge_jobs, start_job
from self_hosted.sandbox.atrocore.record_store import insert_record
from self_hosted.sandbox.atrocore.state import CORES, State


def seed(state: State, data: dict[str, Any]) -> None:
    """Change the state.

    :param state: the state to change
    :param data: see `Atrocore.seed`
    """
    _seed_server(state, data)
    for job in data.get("jobs", ()):
        schedule = dict(job)
        start_job(state, schedule.pop("entity"), schedule.pop("values"), schedule)
    if data.get("purge"):
        purge_jobs(state)
    for entity, rows in data.get("records", {}).items():
        for row in rows:
            get_hooks(entity).after_create(state, insert_record(state, entity, row), row)


def _seed_server(state: State, data: dict[str, Any]) -> None:
    if "dialect" in data:
        state.core = CORES[data["dialect"]]
    if "core" in data:
        state.core = tuple(int(number) for number in data["core"].split("."))
    _seed_schema(state, data)
    if "account" in data:
        state.records["User"][state.admin_id] |= data["account"]
    if "token" in data:
        state.tokens[data["token"]] = next(iter(state.users))
    state.cron = data.get("cron", state.cron)
    state.ignores_case = data.get("ignores_case", state.ignores_case)
    state.upsert_seconds = data.get("upsert_seconds", state.upsert_seconds)
    state.holds_upserts = data.get("holds_upserts", state.holds_upserts)
    state.clock_offset += data.get("advance_seconds", 0)
    state.runs.update(data.get("runs", {}))
    state.counters.update(data.get("counters", {}))
    state.latencies.update(data.get("latencies", {}))
    state.unique.update(data.get("unique", {}))
    state.poison.update(data.get("poison", ()))
    state.faults.extend(dict(fault) for fault in data.get("faults", ()))


def _seed_schema(state: State, data: dict[str, Any]) -> None:
    state.languages = list(data.get("languages", state.languages))
    for entity, fields in data.get("fields", {}).items():
        state.custom_fields.setdefault(entity, {}).update(fields)
    state.forget_schema()
