"""Every response of the sandbox with one field changed: a flow returns, or raises an error of the product."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.flow import Flow
from tests.assemblyline.recorded_flows import REJECTED, RULE, SOURCE, MakeFlow, Objects, list_reads, list_writes
from tests.hostile.recording import Recording, replay, vary
from tests.meta.source import assert_none

MISSING_SETTING = "services.update: response 1, api_response.enabled is absent: ValueError('changes: unknown enabled"
"""The error of an argument that the server does not know."""


@pytest.fixture
def full(served: Any, connect: Any) -> AssemblylineHook:
    rules = {"signatures": [dict(RULE)], "sources": {"YARA": [dict(SOURCE)]}}
    features = {"retrohunt": {"enabled": True, "seconds": 0.05}, "archive": {"enabled": True}}
    served.seed({"signatures": rules, "heuristics": [{"heur_id": "RIGSCAN.1", "name": "Words"}], **features})
    return AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))


def record(name: str, flow: Flow[Any], hook: AssemblylineHook) -> Recording:
    """Run a flow on the sandbox."""
    recording = Recording(hook)
    with contextlib.suppress(SelfHostedError) if name in REJECTED else contextlib.nullcontext():
        recording.run(flow)
    return recording


def find_leaks(name: str, make: MakeFlow, hook: AssemblylineHook) -> list[str]:
    """Return the variants of a flow's responses that raise an error that is none of the product."""
    leaks = []
    for what, outcomes in vary(record(name, make(), hook).outcomes):
        try:
            replay(make(), outcomes)
        except SelfHostedError:
            continue
        except Exception as error:
            leaks.append(f"{name}: {what}: {error!r:.100}")
    return leaks


@pytest.mark.parametrize("list_flows", [list_reads, list_writes])
def test_a_response_with_one_unexpected_field_is_an_error_of_the_product(full, list_flows):
    flows = list_flows(Objects(full))
    leaks = [leak for name, make in flows.items() for leak in find_leaks(name, make, full)]
    assert_none(leak for leak in leaks if not leak.startswith(MISSING_SETTING))
