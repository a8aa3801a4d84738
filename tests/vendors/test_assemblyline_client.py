"""The Python client of the Assemblyline project against the fake server."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from self_hosted.sandbox.assemblyline import Assemblyline
from self_hosted.sandbox.fake_server import FakeServer
from tests.conftest import Served

assemblyline_client = pytest.importorskip("assemblyline_client")
from assemblyline_client.v4_client.common.utils import ClientError  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),  # the client does not close submitted files
    pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"),
]
KEY = {"apikey": ("admin", "sandbox:sandbox-secret")}
PASSWORD = {"auth": ("admin", "admin")}


@pytest.fixture(scope="session")
def _served(serve: Callable[[FakeServer], Served]) -> Served:
    return serve(Assemblyline())


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    _served.seed({"delay": 0.02})
    return _served


@pytest.fixture
def create_client(served: Served) -> Callable[..., Any]:
    """``create_client(apikey=(user, key))``: a client with one retry; the client's default is unlimited."""
    return lambda **credentials: assemblyline_client.get_client(served.base_url, retries=1, timeout=60, **credentials)


@pytest.fixture
def client(create_client: Callable[..., Any]) -> Any:
    return create_client(**KEY)


def submit_and_wait(client: Any, **source: Any) -> dict[str, Any]:
    """Submit a file, wait as users of the client do, and return the document."""
    sid = client.submit(**source)["sid"]
    wait_for(lambda: client.submission.is_completed(sid))
    return client.submission(sid)  # type: ignore[no-any-return]


def wait_for(condition: Callable[[], Any]) -> Any:
    """Wait until a condition is true, and return its value."""
    deadline = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return value


def raise_alert(client: Any) -> str:
    """Raise an alert and return its id."""
    source = {"content": b"RIG-SCORE:700", "fname": "bad.txt"}
    alert_id = client.ingest(**source, params={"generate_alert": True})["ingest_id"]
    wait_for(lambda: client.search.alert(f"alert_id:{alert_id}")["total"])
    return str(alert_id)


# Sessions


@pytest.mark.parametrize("credentials", [KEY, PASSWORD], ids=["key", "password"])
def test_the_client_logs_in_and_submits(create_client, credentials):
    client = create_client(**credentials)
    assert client.current_user == "admin"
    document = submit_and_wait(client, content=b"RIG-SCORE:350", fname="a.txt")
    assert (document["state"], document["max_score"]) == ("completed", 350)
    assert client.submission.delete(document["sid"]) == {"success": True}


@pytest.mark.parametrize("credentials", [KEY, PASSWORD], ids=["key", "password"])
def test_the_client_logs_in_again_after_the_end_of_its_session(served, create_client, credentials):
    client = create_client(**credentials)
    served.end_sessions()
    assert client.submit(content=b"a", fname="a.txt")["state"] == "submitted"


def test_a_failed_login_is_explained(create_client):
    with pytest.raises(ClientError, match="Wrong username or password") as error:
        create_client(auth=("admin", "wrong"))
    assert error.value.status_code == 401
    with pytest.raises(ClientError, match="Invalid user or APIKey"):
        create_client(apikey=("admin", "sandbox:wrong"))


def test_a_read_only_key_cannot_submit(create_client):
    reader = create_client(apikey=("admin", "readonly:readonly-secret"))
    with pytest.raises(ClientError, match="requires one of the following roles: submission_create"):
        reader.submit(content=b"a", fname="a.txt")


def test_the_client_recognizes_an_exceeded_daily_quota(served, client):
    served.seed({"quotas": {"daily_submissions": 1}})
    client.submit(content=b"a", fname="a.txt")
    assert client.get_remaining_submission_quota() == 0
    with pytest.raises(ClientError, match="daily maximum submission quota of 1") as error:
        client.submit(content=b"b", fname="b.txt")
    assert error.value.status_code == 503


# Submissions and ingests


def test_a_file_is_submitted_by_its_path(client, tmp_path):
    path = tmp_path / "sample.bin"
    path.write_bytes(b"RIG-SCORE:1000" + bytes(300_000))
    document = submit_and_wait(client, path=str(path), params={"priority": 500}, metadata={"from": "test"})
    assert document["files"][0]["name"] == "sample.bin"
    assert document["files"][0]["size"] == path.stat().st_size
    assert (document["max_score"], document["params"]["priority"]) == (1000, 500)
    assert document["metadata"] == {"from": "test"}


def test_a_url_and_a_hash_are_submitted(client):
    document = submit_and_wait(client, url="hxxp://evil[.]example/a.exe")
    assert document["files"][0]["size"]
    sha256 = submit_and_wait(client, content=b"RIG-SCORE:20", fname="a.txt")["files"][0]["sha256"]
    assert submit_and_wait(client, sha256=sha256)["max_score"] == 20


def test_a_submission_and_a_file_are_resubmitted(client):
    document = submit_and_wait(client, content=b"RIG-SCORE:20", fname="a.txt")
    again = client.submit.resubmit(document["sid"])
    dynamic = client.submit.dynamic(document["files"][0]["sha256"], copy_sid=document["sid"])
    assert len({document["sid"], again["sid"], dynamic["sid"]}) == 3
    assert "Dynamic Analysis" in dynamic["params"]["services"]["selected"]


def test_an_unknown_hash_and_an_empty_file_are_rejected(client):
    with pytest.raises(ClientError, match="SHA256 does not exist in Assemblyline") as error:
        client.submit(sha256="0" * 64)
    assert error.value.status_code == 404
    with pytest.raises(ClientError, match="File empty"):
        client.submit(fh=io.BytesIO(b""), fname="empty")


def test_the_notification_of_an_ingest_is_read_once(client):
    ingest_id = client.ingest(content=b"RIG-SCORE:40", fname="a.txt", nq="mine", metadata={"a": "b"})["ingest_id"]
    message = wait_for(lambda: client.ingest.get_message("mine"))
    assert (message["ingest_id"], message["score"]) == (ingest_id, 40)
    assert client.submission(message["submission"]["sid"])["metadata"]["ingest_id"] == ingest_id
    assert client.ingest.get_message_list("mine") == []


# Submissions and files


def test_all_views_of_a_submission_are_read(client):
    content = b"RIG-SCORE:400\nRIG-CHILD:RIG-SCORE:900"
    sid = submit_and_wait(client, content=content, fname="parent.txt")["sid"]
    full, tree = client.submission.full(sid), client.submission.tree(sid)["tree"]
    (parent,) = tree.values()
    (child,) = parent["children"].values()
    assert (parent["score"], child["score"]) == (400, 900)
    assert set(full["file_infos"]) == {parent["sha256"], child["sha256"]}
    assert {result["result"]["score"] for result in full["results"].values()} >= {400, 900}
    summary, report = client.submission.summary(sid), client.submission.report(sid)
    assert {"tags", "attack_matrix", "heuristics"} <= summary.keys()
    assert (report["sid"], report["max_score"]) == (sid, 900)
    assert client.submission.file(sid, child["sha256"])["file_info"]["sha256"] == child["sha256"]


def test_a_report_of_a_running_submission_is_rejected(client):
    sid = client.submit(content=b"RIG-SLEEP:30", fname="slow.txt")["sid"]
    with pytest.raises(ClientError, match="too early to generate the report") as error:
        client.submission.report(sid)
    assert error.value.status_code == 425


def test_submissions_are_listed_and_a_verdict_is_set(client):
    sid = submit_and_wait(client, content=b"RIG-SCORE:20", fname="a.txt")["sid"]
    assert [found["sid"] for found in client.submission.list(user="admin")["items"]] == [sid]
    assert client.submission.set_verdict(sid, "malicious") == {"success": True}
    assert client.submission(sid)["verdict"]["malicious"] == ["admin"]


def test_a_deleted_submission_is_not_found(client):
    sid = submit_and_wait(client, content=b"a", fname="a.txt")["sid"]
    client.submission.delete(sid)
    with pytest.raises(ClientError, match=f"Submission ID {sid} does not exists"):
        client.submission(sid)


def test_results_are_read_by_their_keys(client):
    keys = submit_and_wait(client, content=b"RIG-SCORE:20", fname="a.txt")["results"]
    assert keys
    assert client.result(keys[0])["result"]["score"] == 20
    assert set(client.result.multiple(result=keys, error=[])["result"]) == set(keys)


def test_a_file_is_downloaded_in_each_encoding(client, tmp_path):
    content = b"RIG-SCORE:20" + bytes(100_000)
    sha256 = submit_and_wait(client, content=content, fname="a.txt")["files"][0]["sha256"]
    assert client.file.download(sha256, encoding="raw") == content
    assert client.file.download(sha256, encoding="cart").startswith(b"CART")
    assert client.file.download(sha256, encoding="zip", password="infected").startswith(b"PK")
    assert client.file.download(sha256, encoding="raw", output=str(tmp_path / "copy")) is True
    assert (tmp_path / "copy").read_bytes() == content
    with pytest.raises(ClientError) as error:
        client.file.download("0" * 64)
    assert error.value.status_code == 404


def test_the_details_of_a_file_are_read(client):
    document = submit_and_wait(client, content=b"RIG-SCORE:20\nRIG-CHILD:abc", fname="a.txt")
    sha256 = document["files"][0]["sha256"]
    assert client.file.info(sha256)["size"] == document["files"][0]["size"]
    assert client.file.score(sha256)["score"] == 20
    assert len(client.file.children(sha256)) == 1
    assert "RIG-SCORE" in client.file.ascii(sha256)["content"]
    assert client.file.result(sha256)["file_info"]["sha256"] == sha256


# Searches


def test_searches_facets_and_statistics_work(client):
    for score in (10, 20, 30):
        submit_and_wait(client, content=b"RIG-SCORE:%d" % score, fname=f"{score}.txt")
    found = client.search.submission("max_score:>=20", sort="max_score desc", fl="max_score", rows=1)
    assert (found["total"], found["items"]) == (2, [{"max_score": 30}])
    found = client.search.submission("*", filters=["max_score:[10 TO 20]", "NOT max_score:10"])
    assert [item["max_score"] for item in found["items"]] == [20]
    assert len(client.search.file("*:*")["items"]) == 3
    assert client.search.facet.submission("params.submitter") == {"admin": 3}
    assert client.search.stats.submission("max_score")["avg"] == 20
    assert sum(client.search.histogram.submission("times.submitted", start="now-1d", end="now+1d").values()) == 3
    assert {group["value"] for group in client.search.grouped.submission("max_score")["items"]} == {10, 20, 30}
    assert client.search.fields.submission()["max_score"]["type"] == "integer"


def test_a_stream_continues_after_the_first_page(client):
    sids = {client.submit(content=b"%d" % number, fname="a.txt")["sid"] for number in range(120)}
    assert {found["sid"] for found in client.search.stream.submission("*", fl="sid")} == sids


def test_an_invalid_query_is_rejected(client):
    with pytest.raises(ClientError, match="SearchException") as error:
        client.search.submission('sid:"open')
    assert error.value.status_code == 400


def test_a_hash_is_looked_up(client):
    sha256 = submit_and_wait(client, content=b"RIG-SCORE:20", fname="a.txt")["files"][0]["sha256"]
    assert client.hash_search(sha256, db=["al"])["al"]["items"]
    assert client.hash_search("0" * 64, db=["al"])["al"]["items"] == []
    with pytest.raises(ClientError, match="File hash not found") as error:
        client.hash_search(sha256, db=["unknown"])
    assert error.value.status_code == 404
    assert "al" in client.hash_search.list_data_sources()


# Alerts


def test_an_alert_is_changed(client):
    alert_id = raise_alert(client)
    assert client.alert.label(alert_id, "phishing", "mail") == {"success": True}
    assert client.alert.remove_label(alert_id, "MAIL") == {"success": True}
    assert client.alert.priority(alert_id, "HIGH") == {"success": True}
    assert client.alert.status(alert_id, "ASSESS") == {"success": True}
    assert client.alert.ownership(alert_id) == {"success": True}
    assert client.alert.verdict(alert_id, "malicious") == {"success": True}
    alert = client.alert(alert_id)
    assert (alert["label"], alert["priority"], alert["status"]) == (["PHISHING"], "HIGH", "ASSESS")
    assert (alert["owner"], alert["verdict"]["malicious"]) == ("admin", ["admin"])


def test_lists_hide_new_alerts(client):
    alert_id = raise_alert(client)
    assert client.alert.list()["items"] == []
    assert [found["alert_id"] for found in client.alert.list(no_delay=True)["items"]] == [alert_id]
    client.alert.status(alert_id, "TRIAGE")
    assert client.alert.statuses(no_delay=True) == {"TRIAGE": 1}
    assert client.alert.grouped("file.sha256", no_delay=True)["total"] == 1


def test_alerts_are_changed_by_a_query(client):
    alert_id = raise_alert(client)
    changed = client.alert.batch.label(f'alert_id:"{alert_id}"', ["seen"], fq_list=['file.name:"bad.txt"'])
    assert changed == {"success": 1}
    assert client.alert(alert_id)["label"] == ["SEEN"]


# Lists, bundles and the server


def test_a_submission_is_transferred_as_a_bundle(served, client, tmp_path):
    sid = submit_and_wait(client, content=b"RIG-SCORE:600", fname="a.txt")["sid"]
    client.bundle.create(sid, output=str(tmp_path / "bundle"))
    with pytest.raises(ClientError, match=f"Submission {sid} already exists"):
        client.bundle.import_bundle(str(tmp_path / "bundle"))
    served.reset()
    assert client.bundle.import_bundle(Path(tmp_path / "bundle").read_bytes()) == {"success": True}
    assert client.submission(sid)["max_score"] == 600


def test_an_entry_is_added_to_the_badlist(client):
    source = {"name": "admin", "reason": ["seen in the wild"], "type": "user"}
    entry = {"hashes": {"sha256": "a" * 64}, "type": "file", "sources": [source]}
    assert client.badlist.add_update(entry)["success"]
    assert client.badlist("a" * 64)["sources"][0]["reason"] == ["seen in the wild"]
    with pytest.raises(ClientError, match="not found in the badlist"):
        client.badlist("b" * 64)


def test_the_user_and_the_configuration_are_read(client):
    assert client.user.whoami()["username"] == "admin"
    assert client.help.configuration()["submission.max_file_size"]
    assert client.help.classification_definition()["UNRESTRICTED"]
    assert [service["name"] for service in client.service.list()] != []
    assert client.user.submission_params("admin", "static")["submitter"] == "admin"


def test_ontologies_are_read(client):
    document = submit_and_wait(client, content=b"RIG-SCORE:20", fname="a.txt")
    (ontology,) = client.ontology.submission(document["sid"])
    assert ontology["file"]["sha256"] == document["files"][0]["sha256"]
