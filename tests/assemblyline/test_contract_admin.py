"""Contract of account, services, signatures, queues and the API operator, on the fake server and on live ones."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline import waits
from self_hosted.assemblyline.api import heuristics, ontologies, server, services
from self_hosted.assemblyline.api.account import account, settings
from self_hosted.assemblyline.api.signatures import fetches, signatures, sources, statuses
from self_hosted.assemblyline.api.submissions import ingests, intake, notifications, verdicts
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.operators import AssemblylineApiOperator
from self_hosted.assemblyline.sensors import AssemblylineIdleSensor
from self_hosted.core.http.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Request
from self_hosted.core.tasks.storage import atomic_writer
from self_hosted.core.wait.loop import wait_in_worker
from self_hosted.core.wait.pending import PendingWait
from tests.assemblyline.conftest import upload, wait_until
from tests.context import context


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


def wait_for(hook, sid: str):
    return wait_in_worker(hook, waits.SUBMISSION, PendingWait(sid, time.time() + 60, 0.2))


# The account


def test_the_account_matches_the_configuration(hook, run_flow):
    user = run_flow(hook, account.get())
    assert user["username"] == "admin"
    assert user["verdicts"] == run_flow(hook, verdicts.get_bands())
    assert user["limits"]["max_file_size"] == run_flow(hook, server.get_configuration())["submission.max_file_size"]
    assert {"default", "static"} <= set(user["profiles"])


def test_quotas_have_a_limit_or_none(hook, run_flow):
    for quota in run_flow(hook, account.get_quotas()).values():
        assert (quota["limit"] is None) == (quota["left"] is None)


def test_an_update_keeps_other_settings(full, run_flow):
    before = run_flow(full, settings.get())
    score = before["expand_min_score"] + 1
    try:
        run_flow(full, settings.update({"expand_min_score": score, "submission_profiles": {"static": {"ttl": 17}}}))
        after = run_flow(full, settings.get())
        assert after["expand_min_score"] == score
        assert after["submission_profiles"]["static"]["ttl"] == 17
        assert (
            after["submission_profiles"]["default"]["priority"] == before["submission_profiles"]["default"]["priority"]
        )
    finally:
        run_flow(full, settings.update({name: before[name] for name in ("expand_min_score", "submission_profiles")}))
    assert run_flow(full, settings.get())["expand_min_score"] == before["expand_min_score"]


def test_the_server_resets_profiles_that_are_not_sent(full, run_flow):
    before = run_flow(full, settings.get())
    run_flow(full, settings.update({"submission_profiles": {"default": {"ttl": 17}}}))

    def bare():
        yield Request("POST", "/api/v4/user/settings/admin/", json={"default_zip_password": "infected"})

    try:
        run_flow(full, bare())
        assert run_flow(full, settings.get())["submission_profiles"]["default"]["ttl"] != 17
    finally:
        run_flow(full, settings.update({"submission_profiles": before["submission_profiles"]}))


def test_an_invalid_value_of_a_setting_is_rejected(full, run_flow):
    with pytest.raises(InvalidRequestError, match="tar not in the possible values"):
        run_flow(full, settings.update({"download_encoding": "tar"}))


def test_settings_require_an_extended_api_key(hook, run_flow):
    with pytest.raises(PermissionDeniedError, match="self_manage"):
        run_flow(hook, settings.update({"expand_min_score": 1}))


@pytest.mark.parametrize("resource", ["settings", "quotas"])
def test_the_path_must_contain_the_user_name(hook, run_flow, resource):
    def flow():
        yield Request("GET", f"/api/v4/user/{resource}/__CURRENT__/")

    with pytest.raises((PermissionDeniedError, NotFoundError)):
        run_flow(hook, flow())


# Services


def test_services_have_a_known_category_and_stage(hook, run_flow):
    [service] = [entry for entry in run_flow(hook, services.list_all()) if entry["name"] == "RigScan"]
    constants = run_flow(hook, services.get_constants())
    assert service["category"] in constants["categories"]
    assert service["stage"] in constants["stages"]


def test_the_configuration_contains_all_services(hook, run_flow):
    names_in_use = {
        name for _, names in run_flow(hook, server.get_configuration())["services.categories"] for name in names
    }
    assert {entry["name"] for entry in run_flow(hook, services.list_all())} <= names_in_use


def test_a_service_is_updated_once(full, run_flow):
    before = run_flow(full, services.get("RigScan"))["description"]
    try:
        assert run_flow(full, services.update("RigScan", {"description": f"{before}!"}))["changed"] == ["description"]
        assert run_flow(full, services.get("RigScan"))["description"] == f"{before}!"
    finally:
        run_flow(full, services.update("RigScan", {"description": before}))
    assert run_flow(full, services.update("RigScan", {"description": before}))["changed"] == []


def test_versions_of_a_service_are_listed(full, run_flow):
    [version] = run_flow(full, services.list_versions("RigScan"))
    assert run_flow(full, services.get("RigScan", version))["version"] == version
    assert "RigScan" not in run_flow(full, services.list_updates())
    assert run_flow(full, services.install_update("RigScan"))["status"] == "current"


def test_service_settings_require_an_existing_service_and_the_role_administration(hook, full, run_flow):
    with pytest.raises(NotFoundError, match="nosuch service does not exist"):
        run_flow(full, services.get("nosuch"))
    with pytest.raises(NotFoundError, match="nosuch service does not exist"):
        run_flow(full, services.list_versions("nosuch"))
    with pytest.raises(PermissionDeniedError, match="requires one of the following roles: administration"):
        run_flow(hook, services.get("RigScan"))


@pytest.mark.parametrize("selection", [{"selected": ["NoSuch"]}, {"excluded": ["NoSuch"]}])
def test_unknown_services_are_rejected_although_the_server_accepts_them(hook, run_flow, unique, selection):
    document = run_flow(hook, intake.submit({"plaintext": unique}, {"params": {"services": selection}}))
    assert "NoSuch" in str(document["params"]["services"])
    with pytest.raises(ValueError, match="unknown services or categories NoSuch"):
        run_flow(hook, intake.submit_once({"plaintext": unique}, {"params": {"services": selection}}, unique))


def test_known_services_and_categories_may_be_selected(hook, run_flow, unique):
    params = {"services": {"selected": ["RigScan", "Static Analysis"]}, "service_spec": {"RigScan": {}}}
    sid = run_flow(hook, intake.submit_once({"plaintext": f"{unique} RIG-SCORE:9"}, {"params": params}, unique))["sid"]
    assert wait_for(hook, sid).details["max_score"] == 9


def test_a_server_that_enforces_no_classifications_replaces_them(hook, run_flow, unique):
    if run_flow(hook, server.get_classification_definition())["enforce"]:
        pytest.skip("this server enforces classifications")
    params = {"classification": "TLP:AMBER"}
    assert run_flow(hook, intake.submit({"plaintext": unique}, {"params": params}))["classification"] == "TLP:C"
    with pytest.raises(ValueError, match="would store TLP:C, not 'TLP:AMBER'"):
        run_flow(hook, intake.submit_once({"plaintext": unique}, {"params": params}, unique))
    run_flow(hook, intake.submit_once({"plaintext": unique}, {"params": {"classification": "TLP:CLEAR"}}, unique))


# The server


def test_constants_terms_and_components_are_returned(hook, run_flow):
    assert "tag_types" in run_flow(hook, server.get_constants())
    assert run_flow(hook, server.get_terms_of_service()) is None
    assert run_flow(hook, server.is_component_enabled("dispatcher")) is True
    assert run_flow(hook, server.is_component_enabled("nosuch")) is False


# Signatures and heuristics


@pytest.fixture
def full_with_signatures(request, full):
    """A hook with an extended API key, to a server with signatures and heuristics."""
    if request.node.callspec.params["server"] == "sandbox":
        rule = {"type": "yara", "source": "own", "signature_id": "a", "name": "a", "data": "rule a {}"}
        heuristic = {"heur_id": "RIGSCAN.1", "name": "Words"}
        rules = {"signatures": [{**rule, "status": "DEPLOYED"}]}
        request.getfixturevalue("served").seed({"signatures": rules, "heuristics": [heuristic]})
    return full


def test_a_signature_is_found_and_its_status_changed(full_with_signatures, run_flow):
    found = run_flow(full_with_signatures, signatures.search("status:DEPLOYED", rows=1))
    if not found:
        pytest.skip("this server has no signatures")
    signature_id = found[0]["id"]
    assert run_flow(full_with_signatures, signatures.get(signature_id))["status"] == "DEPLOYED"
    assert signature_id in {stats["id"] for stats in run_flow(full_with_signatures, signatures.get_stats())}
    try:
        assert run_flow(full_with_signatures, statuses.set_status(signature_id, "NOISY"))["before"] == "DEPLOYED"
        assert run_flow(full_with_signatures, signatures.get(signature_id))["status"] == "NOISY"
    finally:
        run_flow(full_with_signatures, statuses.set_status(signature_id, "DEPLOYED"))


@pytest.mark.parametrize("path", ["nosuch/DEPLOYED", "nosuch/NOSUCH"])
def test_the_server_fails_on_an_invalid_status(full, run_flow, path):
    def flow():
        yield Request("GET", f"/api/v4/signature/change_status/{path}/")

    with pytest.raises(ServerError, match="Internal Server Error"):
        run_flow(full, flow())


def test_an_unknown_signature_or_heuristic_is_not_found(full, run_flow):
    with pytest.raises(NotFoundError, match=r"Signature not found. \(nosuch\)"):
        run_flow(full, statuses.set_status("nosuch", "DEPLOYED"))
    with pytest.raises(NotFoundError, match="Heuristic not found"):
        run_flow(full, heuristics.get("nosuch"))


def test_heuristics_are_counted(full_with_signatures, run_flow):
    stats = run_flow(full_with_signatures, heuristics.get_stats())
    if stats:
        assert run_flow(full_with_signatures, heuristics.get(stats[0]["heur_id"]))["name"] == stats[0]["name"]


def test_rules_are_downloaded(full_with_signatures, run_flow, tmp_path):
    path = tmp_path / "rules.zip"
    run_flow(full_with_signatures, signatures.download(lambda: atomic_writer(str(path))))
    assert zipfile.is_zipfile(path)


def test_an_unknown_source_of_signatures_is_not_found(full, run_flow):
    assert isinstance(run_flow(full, sources.list_all()), dict)
    with pytest.raises(NotFoundError, match="has no signature source"):
        run_flow(full, fetches.fetch("NoService"))


# Ontologies


def test_ontologies_are_lines_of_json(hook, run_flow, unique, tmp_path):
    sid = run_flow(hook, intake.submit({"plaintext": unique}, {}))["sid"]
    wait_for(hook, sid)
    path = tmp_path / "a.jsonl"
    run_flow(hook, ontologies.save_for_submission(sid, lambda: atomic_writer(str(path))))
    assert all(isinstance(json.loads(line), dict) for line in path.read_text().splitlines())
    run_flow(
        hook, ontologies.save_for_file(hashlib.sha256(unique.encode()).hexdigest(), lambda: atomic_writer(str(path)))
    )


@pytest.mark.parametrize("flow", [ontologies.save_for_submission, ontologies.save_for_file, ontologies.save_for_alert])
def test_a_missing_object_has_no_ontology(hook, run_flow, tmp_path, flow):
    with pytest.raises(NotFoundError, match="There is no"):
        run_flow(hook, flow("0" * 64, lambda: atomic_writer(str(tmp_path / "a"))))


# Notification queues


def take_messages(hook, run_flow, queue, count):
    """Take messages as they arrive; the ingester sends them after the dispatcher has finished."""
    messages: list[dict[str, Any]] = []

    def take() -> bool:
        messages.extend(run_flow(hook, notifications.take_many(queue)))
        return bool(len(messages) >= count)

    wait_until(take)
    return messages


def test_each_ingest_has_one_message(hook, run_flow, unique):
    queue = {"notification_queue": unique}
    first = run_flow(hook, ingests.create(upload(f"{unique} RIG-SCORE:400"), queue))
    observed = wait_in_worker(hook, waits.INGEST, PendingWait(first, time.time() + 60, 0.2))
    second = run_flow(hook, ingests.create(upload(f"{unique} RIG-SCORE:400"), queue))
    silent = run_flow(hook, ingests.create(upload(f"{unique} RIG-SCORE:5"), {**queue, "notification_threshold": 300}))
    messages = take_messages(hook, run_flow, unique, 2)
    assert [message["ingest_id"] for message in messages] == [first, second]
    assert {message["submission"]["sid"] for message in messages} == {observed.details["sid"]}
    assert {(message["score"], message["failure"]) for message in messages} == {(400, "")}
    wait_in_worker(hook, waits.INGEST, PendingWait(silent, time.time() + 60, 0.2))
    assert run_flow(hook, notifications.take(unique)) is None


def test_an_unknown_queue_is_empty(hook, run_flow, unique):
    assert run_flow(hook, notifications.take(unique)) is None
    assert run_flow(hook, notifications.take_many(unique, max_items=1)) == []


# Idle submissions


def test_submissions_are_idle_once_they_are_completed(hook, run_flow, unique):
    key = waits.build_idle_key(f'metadata.case:"{unique}"', 0)
    sid = run_flow(hook, intake.submit({"plaintext": f"{unique} RIG-SLEEP:2"}, {"metadata": {"case": unique}}))["sid"]
    wait_until(lambda: run_flow(hook, waits.IDLE.refresh([key]))[key].state == "busy")
    wait_for(hook, sid)
    wait_until(lambda: run_flow(hook, waits.IDLE.refresh([key]))[key].state == "idle")
    recent_key = waits.build_idle_key(f'metadata.case:"{unique}"', 3600)
    observed = run_flow(hook, waits.IDLE.refresh([key, recent_key]))
    assert (observed[key].state, observed[recent_key].state) == ("idle", "busy")


def test_a_malformed_query_is_an_observation_of_its_own(hook, run_flow):
    assert run_flow(hook, waits.IDLE.refresh([waits.build_idle_key('sid:("a"', 0)])).popitem()[1].state == "rejected"


def test_the_idle_sensor_succeeds_without_submissions(server, unique):
    query = f'metadata.case:"{unique}"'
    sensor = AssemblylineIdleSensor(task_id="idle", query=query, assemblyline_conn_id=server)
    assert sensor.execute(context(sensor)) == {"query": query, "idle_seconds": 0}


# The API operator


def test_the_api_operator_calls_any_path(server, tmp_path):
    def call(path, **arguments):
        task = AssemblylineApiOperator(task_id="call", path=path, assemblyline_conn_id=server, **arguments)
        return task.execute(context(task))

    assert "RigScan" in {service["name"] for service in call("service/all")}
    assert call("search/submission", query={"query": "*", "rows": 0})["items"] == []
    output = str(tmp_path / "constants.json")
    assert call("/api/v4/help/constants/", output_uri=output)["size"] == (tmp_path / "constants.json").stat().st_size
    assert "tag_types" in json.loads((tmp_path / "constants.json").read_text())["api_response"]
    with pytest.raises(AirflowFailException, match="requires one of the following roles: administration"):
        call("service/RigScan")
    with pytest.raises(AirflowFailException, match="Api does not exist"):
        call("no/such")
