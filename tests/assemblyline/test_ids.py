"""Ids that would reach another endpoint, and the ids of many objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.assemblyline.api import heuristics, services, workflows
from self_hosted.assemblyline.api.alerts import alerts
from self_hosted.assemblyline.api.alerts.changes import AlertChanges
from self_hosted.assemblyline.api.lists import lists, updates
from self_hosted.assemblyline.api.signatures import fetches, signatures, statuses
from self_hosted.assemblyline.api.submissions import submissions
from self_hosted.core.arguments import check_ids
from self_hosted.core.http.flow import Flow
from tests.assemblyline.flows import reply, result_of

SHA256 = "a" * 64
SSDEEP = "3:AB/CD+abc//def:gh/ij"

FLOWS: dict[str, Callable[[str], Flow[Any]]] = {
    "alerts.get": alerts.get,
    "alerts.update": lambda alert_id: alerts.update(alert_id, AlertChanges(take_ownership=True)),
    "alerts.add_labels": lambda alert_id: alerts.add_labels(alert_id, ["a"]),
    "alerts.remove_labels": lambda alert_id: alerts.remove_labels(alert_id, ["a"]),
    "alerts.set_priority": lambda alert_id: alerts.set_priority(alert_id, "HIGH"),
    "alerts.set_status": lambda alert_id: alerts.set_status(alert_id, "TRIAGE"),
    "alerts.set_verdict": lambda alert_id: alerts.set_verdict(alert_id, "malicious"),
    "alerts.take_ownership": alerts.take_ownership,
    "services.get": services.get,
    "services.update": lambda name: services.update(name, {"enabled": False}),
    "signatures.get": signatures.get,
    "statuses.set_status": lambda signature_id: statuses.set_status(signature_id, "DISABLED"),
    "heuristics.get": heuristics.get,
    "workflows.get": workflows.get,
    "workflows.run": workflows.run,
}


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        ("alerts", ["batch", "list", "labels", "ownership/x", "label/batch"]),  # "batch" changes all alerts
        ("services", ["update_all", "restore", "backup", "all", "updates"]),  # "update_all" updates all services
        ("signatures", ["sources", "download", "stats", "change_status/x/DISABLED"]),
        ("heuristics", ["stats"]),
        ("workflows", ["labels", "x/run"]),
    ],
)
def test_a_word_that_is_another_endpoint_is_no_id(flow: str, words: list[str]):
    for name in [name for name in FLOWS if name.startswith(f"{flow}.")]:
        for word in words:
            with pytest.raises(ValueError, match=r"is another endpoint|is no valid id"):
                next(FLOWS[name](word))


def test_a_version_of_a_service_is_not_read_from_another_endpoint():
    for name in ("stats", "versions"):
        with pytest.raises(ValueError, match="name must be an id"):
            next(services.get(name, "4.7"))
    with pytest.raises(ValueError, match="is no valid id"):
        next(services.get("Extract", "4/7"))


def test_an_ssdeep_with_slashes_is_one_value():
    _, [request] = result_of(lists.find_similar(SSDEEP), reply([]))
    assert request.path == "/api/v4/badlist/ssdeep/3%3AAB%2FCD%2Babc%2F%2Fdef%3Agh%2Fij/"
    with pytest.raises(ValueError, match="must be an ssdeep"):
        result_of(lists.find_similar("3:../x:y"))


def test_an_attribution_with_a_slash_is_rejected_before_anything_is_sent():
    with pytest.raises(ValueError, match="with a slash: 'A/B'"):
        next(updates.set_attribution(SHA256, "family", "a/b"))


def test_all_ids_are_checked_before_the_first_one_is_deleted():
    with pytest.raises(ValueError, match="is no valid id"):
        next(submissions.delete_many(["s", "file/x"]))


def test_a_name_with_a_comma_cannot_be_one_of_several_sources():
    with pytest.raises(ValueError, match="because of the comma"):
        next(fetches.fetch("YARA", ["a,b"]))


@pytest.mark.parametrize("values", ["s", ["s", ""], ["None"], ["a\0b"]])
def test_a_list_of_ids_has_no_gaps_and_is_no_text(values: Any):
    with pytest.raises(ValueError, match="sids must be"):
        check_ids("sids", values)


def test_a_link_accepts_every_id_that_a_server_may_send():
    assert alerts.build_page_url("https://al", "a/b") == "https://al/alerts/a%2Fb"
    assert submissions.build_page_url("https://al", "") == "https://al/submission/detail/"
