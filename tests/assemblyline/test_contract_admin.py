"""The account, services, signatures, queues and the general operator: the same on the stand-in and on a real server."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.operators import AssemblylineApiOperator
from self_hosted.assemblyline.sensors import AssemblylineQuietSensor
from self_hosted.assemblyline.triggers import INGEST, QUIET, SUBMISSION
from self_hosted.core.errors import Broken, Forbidden, Invalid, NotFound
from self_hosted.core.flow import Request
from self_hosted.core.storage import written
from self_hosted.core.wait import Waiter, wait
from tests.assemblyline.conftest import upload
from tests.context import context


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


def done(hook, sid: str):
    return wait(hook, SUBMISSION, Waiter(sid, time.time() + 30, 0.2))


# The account


def test_who_am_i(hook, ask):
    user = ask(hook, api.whoami())
    assert user["username"] == "admin"
    assert user["verdicts"] == ask(hook, api.verdict_bands())
    assert user["limits"]["max_file_size"] == ask(hook, api.configuration())["submission.max_file_size"]
    assert {"default", "static"} <= set(user["profiles"])


def test_quotas_have_a_limit_or_none(hook, ask):
    for quota in ask(hook, api.quotas()).values():
        assert (quota["limit"] is None) == (quota["left"] is None)


def test_settings_are_changed_and_others_stay(full, ask):
    before = ask(full, api.user_settings())
    score = before["expand_min_score"] + 1
    try:
        ask(full, api.change_user_settings({"expand_min_score": score, "submission_profiles": {"static": {"ttl": 17}}}))
        after = ask(full, api.user_settings())
        assert after["expand_min_score"] == score
        assert after["submission_profiles"]["static"]["ttl"] == 17
        assert (
            after["submission_profiles"]["default"]["priority"] == before["submission_profiles"]["default"]["priority"]
        )
    finally:
        ask(
            full, api.change_user_settings({name: before[name] for name in ("expand_min_score", "submission_profiles")})
        )
    assert ask(full, api.user_settings())["expand_min_score"] == before["expand_min_score"]


def test_profiles_that_are_not_sent_are_reset_by_the_server(full, ask):
    before = ask(full, api.user_settings())
    ask(full, api.change_user_settings({"submission_profiles": {"default": {"ttl": 17}}}))

    def bare():
        yield Request("POST", "/api/v4/user/settings/admin/", json={"default_zip_password": "infected"})

    try:
        ask(full, bare())
        assert ask(full, api.user_settings())["submission_profiles"]["default"]["ttl"] != 17
    finally:
        ask(full, api.change_user_settings({"submission_profiles": before["submission_profiles"]}))


def test_a_value_that_a_setting_cannot_have_is_refused(full, ask):
    with pytest.raises(Invalid, match="tar not in the possible values"):
        ask(full, api.change_user_settings({"download_encoding": "tar"}))


def test_settings_need_an_extended_key(hook, ask):
    with pytest.raises(Forbidden, match="self_manage"):
        ask(hook, api.change_user_settings({"expand_min_score": 1}))


@pytest.mark.parametrize("what", ["settings", "quotas"])
def test_the_user_has_to_be_named(hook, ask, what):
    def flow():
        yield Request("GET", f"/api/v4/user/{what}/__CURRENT__/")

    with pytest.raises((Forbidden, NotFound)):
        ask(hook, flow())


# Services


def test_services_and_what_they_may_be(hook, ask):
    [service] = [one for one in ask(hook, api.services()) if one["name"] == "RigScan"]
    constants = ask(hook, api.service_constants())
    assert service["category"] in constants["categories"]
    assert service["stage"] in constants["stages"]


def test_the_configuration_names_all_services(hook, ask):
    named = {name for _, names in ask(hook, api.configuration())["services.categories"] for name in names}
    assert {one["name"] for one in ask(hook, api.services())} <= named


def test_a_service_is_changed_and_changed_back(full, ask):
    before = ask(full, api.service("RigScan"))["description"]
    try:
        assert ask(full, api.change_service("RigScan", {"description": f"{before}!"}))["changed"] == ["description"]
        assert ask(full, api.service("RigScan"))["description"] == f"{before}!"
    finally:
        ask(full, api.change_service("RigScan", {"description": before}))
    assert ask(full, api.change_service("RigScan", {"description": before}))["changed"] == []


def test_versions_and_what_a_version_comes_with(full, ask):
    [version] = ask(full, api.service_versions("RigScan"))
    assert ask(full, api.service("RigScan", version))["version"] == version
    assert "RigScan" not in ask(full, api.service_updates())
    assert ask(full, api.update_service("RigScan"))["status"] == "current"


def test_an_unknown_service_is_not_found_and_administration_needed(hook, full, ask):
    with pytest.raises(NotFound, match="nosuch service does not exist"):
        ask(full, api.service("nosuch"))
    with pytest.raises(NotFound, match="nosuch service does not exist"):
        ask(full, api.service_versions("nosuch"))
    with pytest.raises(Forbidden, match="requires one of the following roles: administration"):
        ask(hook, api.service("RigScan"))


@pytest.mark.parametrize("services", [{"selected": ["NoSuch"]}, {"excluded": ["NoSuch"]}])
def test_services_that_there_are_not_are_taken_by_the_server_and_refused_by_us(hook, ask, unique, services):
    document = ask(hook, api.submit({"plaintext": unique}, {"params": {"services": services}}))
    assert "NoSuch" in str(document["params"]["services"])
    with pytest.raises(ValueError, match="no service or category NoSuch"):
        ask(hook, api.submit_once({"plaintext": unique}, {"params": {"services": services}}, unique))


def test_services_and_categories_that_there_are_may_be_selected(hook, ask, unique):
    params = {"services": {"selected": ["RigScan", "Static Analysis"]}, "service_spec": {"RigScan": {}}}
    sid = ask(hook, api.submit_once({"plaintext": f"{unique} RIG-SCORE:9"}, {"params": params}, unique))["sid"]
    assert done(hook, sid).facts["max_score"] == 9


def test_a_classification_is_replaced_where_none_is_enforced(hook, ask, unique):
    if ask(hook, api.classification_definition())["enforce"]:
        pytest.skip("this server enforces classifications")
    params = {"classification": "TLP:AMBER"}
    assert ask(hook, api.submit({"plaintext": unique}, {"params": params}))["classification"] == "TLP:C"
    with pytest.raises(ValueError, match="would store TLP:C instead of 'TLP:AMBER'"):
        ask(hook, api.submit_once({"plaintext": unique}, {"params": params}, unique))
    ask(hook, api.submit_once({"plaintext": unique}, {"params": {"classification": "TLP:CLEAR"}}, unique))


# The server


def test_what_the_server_says_of_itself(hook, ask):
    assert "tag_types" in ask(hook, api.constants())
    assert ask(hook, api.terms_of_service()) is None
    assert ask(hook, api.component_status("dispatcher")) is True
    assert ask(hook, api.component_status("nosuch")) is False


# Signatures and heuristics


@pytest.fixture
def stocked(request, full):
    """The stand-in has signatures and heuristics when it is seeded; a real server has them from its services."""
    if request.node.callspec.params["server"] == "sandbox":
        rule = {"type": "yara", "source": "own", "signature_id": "a", "name": "a", "data": "rule a {}"}
        heuristic = {"heur_id": "RIGSCAN.1", "name": "Words"}
        signatures = {"signatures": [{**rule, "status": "DEPLOYED"}]}
        request.getfixturevalue("served").seed({"signatures": signatures, "heuristics": [heuristic]})
    return full


def test_a_signature_is_searched_read_and_changed(stocked, ask):
    found = ask(stocked, api.search_signatures("status:DEPLOYED", rows=1))
    if not found:
        pytest.skip("this server has no signatures")
    number = found[0]["id"]
    assert ask(stocked, api.signature(number))["status"] == "DEPLOYED"
    assert number in {one["id"] for one in ask(stocked, api.signature_stats())}
    try:
        assert ask(stocked, api.change_signature_status(number, "NOISY"))["before"] == "DEPLOYED"
        assert ask(stocked, api.signature(number))["status"] == "NOISY"
    finally:
        ask(stocked, api.change_signature_status(number, "DEPLOYED"))


@pytest.mark.parametrize("path", ["nosuch/DEPLOYED", "nosuch/NOSUCH"])
def test_the_server_fails_where_it_means_to_refuse_a_status(full, ask, path):
    def flow():
        yield Request("GET", f"/api/v4/signature/change_status/{path}/")

    with pytest.raises(Broken, match="Internal Server Error"):
        ask(full, flow())


def test_an_unknown_signature_or_heuristic_is_not_found(full, ask):
    with pytest.raises(NotFound, match=r"Signature not found. \(nosuch\)"):
        ask(full, api.change_signature_status("nosuch", "DEPLOYED"))
    with pytest.raises(NotFound, match="Heuristic not found"):
        ask(full, api.heuristic("nosuch"))


def test_heuristics_are_counted(stocked, ask):
    stats = ask(stocked, api.heuristic_stats())
    if stats:
        assert ask(stocked, api.heuristic(stats[0]["heur_id"]))["name"] == stats[0]["name"]


def test_rules_are_downloaded(stocked, ask, tmp_path):
    path = tmp_path / "rules.zip"
    ask(stocked, api.download_signatures(lambda: written(str(path))))
    assert zipfile.is_zipfile(path)


def test_sources_are_listed_and_unknown_ones_not_found(full, ask):
    assert isinstance(ask(full, api.signature_sources()), dict)
    with pytest.raises(NotFound, match="has no signature source"):
        ask(full, api.update_signature_sources("NoService"))


# Ontologies


def test_ontologies_are_lines_of_json(hook, ask, unique, tmp_path):
    sid = ask(hook, api.submit({"plaintext": unique}, {}))["sid"]
    done(hook, sid)
    path = tmp_path / "a.jsonl"
    ask(hook, api.submission_ontology(sid, lambda: written(str(path))))
    assert all(isinstance(json.loads(line), dict) for line in path.read_text().splitlines())
    ask(hook, api.file_ontology(hashlib.sha256(unique.encode()).hexdigest(), lambda: written(str(path))))


@pytest.mark.parametrize("flow", [api.submission_ontology, api.file_ontology, api.alert_ontology])
def test_there_is_no_ontology_of_what_there_is_not(hook, ask, tmp_path, flow):
    with pytest.raises(NotFound, match="There is no"):
        ask(hook, flow("nosuch", lambda: written(str(tmp_path / "a"))))


# Notification queues


def taken(hook, ask, queue, wanted):
    """Messages, as they come; the ingester sends them when it has heard of the dispatcher."""
    messages: list[dict[str, Any]] = []
    deadline = time.time() + 20
    while len(messages) < wanted and time.time() < deadline:
        messages += ask(hook, api.take_messages(queue))
        time.sleep(0.2)
    return messages


def test_messages_tell_of_ingests_once(hook, ask, unique):
    queue = {"notification_queue": unique}
    first = ask(hook, api.ingest(upload(f"{unique} RIG-SCORE:400"), queue))
    seen = wait(hook, INGEST, Waiter(first, time.time() + 30, 0.2))
    second = ask(hook, api.ingest(upload(f"{unique} RIG-SCORE:400"), queue))
    ask(hook, api.ingest(upload(f"{unique} RIG-SCORE:5"), {**queue, "notification_threshold": 300}))
    messages = taken(hook, ask, unique, 2)
    assert [message["ingest_id"] for message in messages] == [first, second]
    assert {message["submission"]["sid"] for message in messages} == {seen.facts["sid"]}
    assert {(message["score"], message["failure"]) for message in messages} == {(400, "")}
    time.sleep(0.5)
    assert ask(hook, api.take_message(unique)) is None


def test_an_unknown_queue_is_an_empty_one(hook, ask, unique):
    assert ask(hook, api.take_message(unique)) is None
    assert ask(hook, api.take_messages(unique, at_most=1)) == []


# Quiet


def test_it_is_quiet_when_what_was_submitted_is_completed(hook, ask, unique):
    key = api.quiet_key(f'metadata.case:"{unique}"', 0)
    sid = ask(hook, api.submit({"plaintext": f"{unique} RIG-SLEEP:2"}, {"metadata": {"case": unique}}))["sid"]
    time.sleep(1.2)
    assert ask(hook, QUIET.ask([key]))[key].state == "busy"
    done(hook, sid)
    time.sleep(1.2)
    lately = api.quiet_key(f'metadata.case:"{unique}"', 3600)
    seen = ask(hook, QUIET.ask([key, lately]))
    assert (seen[key].state, seen[lately].state) == ("quiet", "busy")


def test_a_query_that_cannot_be_read_is_refused_for_itself(hook, ask):
    assert ask(hook, QUIET.ask([api.quiet_key('sid:("a"', 0)])).popitem()[1].state == "refused"


def test_the_sensor_sees_quiet(server, unique):
    query = f'metadata.case:"{unique}"'
    sensor = AssemblylineQuietSensor(task_id="quiet", query=query, assemblyline_conn_id=server)
    assert sensor.execute(context(sensor)) == {"query": query, "quiet_for": 0}


# The general operator


def test_the_general_operator_asks_for_anything(server, tmp_path):
    def call(path, **arguments):
        task = AssemblylineApiOperator(task_id="call", path=path, assemblyline_conn_id=server, **arguments)
        return task.execute(context(task))

    assert "RigScan" in {service["name"] for service in call("service/all")}
    assert call("search/submission", query={"query": "*", "rows": 0})["items"] == []
    output = str(tmp_path / "constants.json")
    assert call("/api/v4/help/constants/", output_file=output)["size"] == (tmp_path / "constants.json").stat().st_size
    assert "tag_types" in json.loads((tmp_path / "constants.json").read_text())["api_response"]
    with pytest.raises(AirflowFailException, match="requires one of the following roles: administration"):
        call("service/RigScan")
    with pytest.raises(AirflowFailException, match="Api does not exist"):
        call("no/such")
