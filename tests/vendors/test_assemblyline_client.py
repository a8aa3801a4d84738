"""Assemblyline's own Python client, which knows nothing of us, talks to the stand-in as it does to the product."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from self_hosted.sandbox.assemblyline import Assemblyline
from self_hosted.sandbox.stand_in import StandIn
from tests.conftest import Served

assemblyline_client = pytest.importorskip("assemblyline_client")
from assemblyline_client.v4_client.common.utils import ClientError  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),  # the client leaves open what it submits
    pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"),
]
KEY = {"apikey": ("admin", "sandbox:sandbox-secret")}
PASSWORD = {"auth": ("admin", "admin")}


@pytest.fixture(scope="session")
def _served(serve: Callable[[StandIn], Served]) -> Served:
    return serve(Assemblyline())


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    _served.seed({"delay": 0.02})
    return _served


@pytest.fixture
def sign_in(served: Served) -> Callable[..., Any]:
    """``sign_in(apikey=(user, key))``; what fails is tried once more, not for ever as by default."""
    return lambda **how: assemblyline_client.get_client(served.base_url, retries=1, timeout=10, **how)


@pytest.fixture
def client(sign_in: Callable[..., Any]) -> Any:
    return sign_in(**KEY)


def completed(client: Any, **source: Any) -> dict[str, Any]:
    """Submit, wait as the client's users do, and return the document."""
    sid = client.submit(**source)["sid"]
    until(lambda: client.submission.is_completed(sid))
    return client.submission(sid)  # type: ignore[no-any-return]


def until(what: Callable[[], Any]) -> Any:
    """What it returns, once that is something."""
    end = time.monotonic() + 10
    while not (found := what()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def alert_of(client: Any) -> str:
    """The id of an alert that was just raised."""
    source = {"content": b"RIG-SCORE:700", "fname": "bad.txt"}
    alert_id = client.ingest(**source, params={"generate_alert": True})["ingest_id"]
    until(lambda: client.search.alert(f"alert_id:{alert_id}")["total"])
    return str(alert_id)


# sessions


@pytest.mark.parametrize("how", [KEY, PASSWORD], ids=["by key", "by password"])
def test_it_signs_in_and_submits(sign_in, how):
    client = sign_in(**how)
    assert client.current_user == "admin"
    document = completed(client, content=b"RIG-SCORE:350", fname="a.txt")
    assert (document["state"], document["max_score"]) == ("completed", 350)
    assert client.submission.delete(document["sid"]) == {"success": True}


@pytest.mark.parametrize("how", [KEY, PASSWORD], ids=["by key", "by password"])
def test_it_signs_in_anew_when_its_session_is_over(served, sign_in, how):
    client = sign_in(**how)
    served.end_sessions()
    assert client.submit(content=b"a", fname="a.txt")["state"] == "submitted"


def test_it_is_told_why_it_may_not_sign_in(sign_in):
    with pytest.raises(ClientError, match="Wrong username or password") as refused:
        sign_in(auth=("admin", "wrong"))
    assert refused.value.status_code == 401
    with pytest.raises(ClientError, match="Invalid user or APIKey"):
        sign_in(apikey=("admin", "sandbox:wrong"))


def test_a_key_that_may_only_read_cannot_submit(sign_in):
    reader = sign_in(apikey=("admin", "readonly:readonly-secret"))
    with pytest.raises(ClientError, match="requires one of the following roles: submission_create"):
        reader.submit(content=b"a", fname="a.txt")


def test_it_recognises_a_daily_quota_and_gives_up(served, client):
    served.seed({"quotas": {"daily_submissions": 1}})
    client.submit(content=b"a", fname="a.txt")
    assert client.get_remaining_submission_quota() == 0
    with pytest.raises(ClientError, match="daily maximum submission quota of 1") as refused:
        client.submit(content=b"b", fname="b.txt")
    assert refused.value.status_code == 503


# submitting and ingesting


def test_it_submits_a_file_by_its_path(client, tmp_path):
    path = tmp_path / "sample.bin"
    path.write_bytes(b"RIG-SCORE:1000" + bytes(300_000))
    document = completed(client, path=str(path), params={"priority": 500}, metadata={"from": "test"})
    assert document["files"][0]["name"] == "sample.bin"
    assert document["files"][0]["size"] == path.stat().st_size
    assert (document["max_score"], document["params"]["priority"]) == (1000, 500)
    assert document["metadata"] == {"from": "test"}


def test_it_submits_a_url_and_what_is_known_by_its_hash(client):
    document = completed(client, url="hxxp://evil[.]example/a.exe")
    assert document["files"][0]["size"]
    sha256 = completed(client, content=b"RIG-SCORE:20", fname="a.txt")["files"][0]["sha256"]
    assert completed(client, sha256=sha256)["max_score"] == 20


def test_it_submits_anew(client):
    document = completed(client, content=b"RIG-SCORE:20", fname="a.txt")
    again = client.submit.resubmit(document["sid"])
    dynamic = client.submit.dynamic(document["files"][0]["sha256"], copy_sid=document["sid"])
    assert len({document["sid"], again["sid"], dynamic["sid"]}) == 3
    assert "Dynamic Analysis" in dynamic["params"]["services"]["selected"]


def test_it_is_refused_what_the_product_refuses(client):
    with pytest.raises(ClientError, match="SHA256 does not exist in Assemblyline") as refused:
        client.submit(sha256="0" * 64)
    assert refused.value.status_code == 404
    with pytest.raises(ClientError, match="File empty"):
        client.submit(fh=io.BytesIO(b""), fname="empty")


def test_it_reads_the_message_of_an_ingest_once(client):
    ingest_id = client.ingest(content=b"RIG-SCORE:40", fname="a.txt", nq="mine", metadata={"a": "b"})["ingest_id"]
    message = until(lambda: client.ingest.get_message("mine"))
    assert (message["ingest_id"], message["score"]) == (ingest_id, 40)
    assert client.submission(message["submission"]["sid"])["metadata"]["ingest_id"] == ingest_id
    assert client.ingest.get_message_list("mine") == []


# submissions and their files


def test_it_reads_all_of_a_submission(client):
    content = b"RIG-SCORE:400\nRIG-CHILD:RIG-SCORE:900"
    sid = completed(client, content=content, fname="parent.txt")["sid"]
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


def test_a_report_can_be_asked_for_too_early(client):
    sid = client.submit(content=b"RIG-SLEEP:30", fname="slow.txt")["sid"]
    with pytest.raises(ClientError, match="too early to generate the report") as refused:
        client.submission.report(sid)
    assert refused.value.status_code == 425


def test_it_lists_submissions_and_judges_one(client):
    sid = completed(client, content=b"RIG-SCORE:20", fname="a.txt")["sid"]
    assert [found["sid"] for found in client.submission.list(user="admin")["items"]] == [sid]
    assert client.submission.set_verdict(sid, "malicious") == {"success": True}
    assert client.submission(sid)["verdict"]["malicious"] == ["admin"]


def test_what_is_deleted_is_gone(client):
    sid = completed(client, content=b"a", fname="a.txt")["sid"]
    client.submission.delete(sid)
    with pytest.raises(ClientError, match=f"Submission ID {sid} does not exists"):
        client.submission(sid)


def test_it_reads_results_by_their_keys(client):
    keys = completed(client, content=b"RIG-SCORE:20", fname="a.txt")["results"]
    assert keys
    assert client.result(keys[0])["result"]["score"] == 20
    assert set(client.result.multiple(result=keys, error=[])["result"]) == set(keys)


def test_it_downloads_a_file_in_each_way(client, tmp_path):
    content = b"RIG-SCORE:20" + bytes(100_000)
    sha256 = completed(client, content=content, fname="a.txt")["files"][0]["sha256"]
    assert client.file.download(sha256, encoding="raw") == content
    assert client.file.download(sha256, encoding="cart").startswith(b"CART")
    assert client.file.download(sha256, encoding="zip", password="infected").startswith(b"PK")
    assert client.file.download(sha256, encoding="raw", output=str(tmp_path / "copy")) is True
    assert (tmp_path / "copy").read_bytes() == content
    with pytest.raises(ClientError) as refused:
        client.file.download("0" * 64)
    assert refused.value.status_code == 404


def test_it_looks_at_a_file(client):
    document = completed(client, content=b"RIG-SCORE:20\nRIG-CHILD:abc", fname="a.txt")
    sha256 = document["files"][0]["sha256"]
    assert client.file.info(sha256)["size"] == document["files"][0]["size"]
    assert client.file.score(sha256)["score"] == 20
    assert len(client.file.children(sha256)) == 1
    assert "RIG-SCORE" in client.file.ascii(sha256)["content"]
    assert client.file.result(sha256)["file_info"]["sha256"] == sha256


# searching


def test_it_searches(client):
    for score in (10, 20, 30):
        completed(client, content=b"RIG-SCORE:%d" % score, fname=f"{score}.txt")
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


def test_it_streams_more_than_a_page(client):
    sids = {client.submit(content=b"%d" % number, fname="a.txt")["sid"] for number in range(120)}
    assert {found["sid"] for found in client.search.stream.submission("*", fl="sid")} == sids


def test_a_query_that_cannot_be_read_is_refused(client):
    with pytest.raises(ClientError, match="SearchException") as refused:
        client.search.submission('sid:"open')
    assert refused.value.status_code == 400


def test_it_looks_up_a_hash(client):
    sha256 = completed(client, content=b"RIG-SCORE:20", fname="a.txt")["files"][0]["sha256"]
    assert client.hash_search(sha256, db=["al"])["al"]["items"]
    assert client.hash_search("0" * 64, db=["al"])["al"]["items"] == []
    with pytest.raises(ClientError, match="File hash not found") as refused:
        client.hash_search(sha256, db=["nobody"])
    assert refused.value.status_code == 404
    assert "al" in client.hash_search.list_data_sources()


# alerts


def test_it_changes_an_alert(client):
    alert_id = alert_of(client)
    assert client.alert.label(alert_id, "phishing", "mail") == {"success": True}
    assert client.alert.remove_label(alert_id, "MAIL") == {"success": True}
    assert client.alert.priority(alert_id, "HIGH") == {"success": True}
    assert client.alert.status(alert_id, "ASSESS") == {"success": True}
    assert client.alert.ownership(alert_id) == {"success": True}
    assert client.alert.verdict(alert_id, "malicious") == {"success": True}
    alert = client.alert(alert_id)
    assert (alert["label"], alert["priority"], alert["status"]) == (["PHISHING"], "HIGH", "ASSESS")
    assert (alert["owner"], alert["verdict"]["malicious"]) == ("admin", ["admin"])


def test_young_alerts_are_hidden_from_lists(client):
    alert_id = alert_of(client)
    assert client.alert.list()["items"] == []
    assert [found["alert_id"] for found in client.alert.list(no_delay=True)["items"]] == [alert_id]
    client.alert.status(alert_id, "TRIAGE")
    assert client.alert.statuses(no_delay=True) == {"TRIAGE": 1}
    assert client.alert.grouped("file.sha256", no_delay=True)["total"] == 1


def test_it_changes_many_alerts(client):
    alert_id = alert_of(client)
    changed = client.alert.batch.label(f'alert_id:"{alert_id}"', ["seen"], fq_list=['file.name:"bad.txt"'])
    assert changed == {"success": 1}
    assert client.alert(alert_id)["label"] == ["SEEN"]


# lists, bundles and the server


def test_it_takes_a_submission_elsewhere_as_a_bundle(served, client, tmp_path):
    sid = completed(client, content=b"RIG-SCORE:600", fname="a.txt")["sid"]
    client.bundle.create(sid, output=str(tmp_path / "bundle"))
    with pytest.raises(ClientError, match=f"Submission {sid} already exists"):
        client.bundle.import_bundle(str(tmp_path / "bundle"))
    served.reset()
    assert client.bundle.import_bundle(Path(tmp_path / "bundle").read_bytes()) == {"success": True}
    assert client.submission(sid)["max_score"] == 600


def test_it_keeps_a_list_of_what_is_bad(client):
    source = {"name": "admin", "reason": ["seen in the wild"], "type": "user"}
    entry = {"hashes": {"sha256": "a" * 64}, "type": "file", "sources": [source]}
    assert client.badlist.add_update(entry)["success"]
    assert client.badlist("a" * 64)["sources"][0]["reason"] == ["seen in the wild"]
    with pytest.raises(ClientError, match="not found in the badlist"):
        client.badlist("b" * 64)


def test_it_asks_about_the_server_and_its_user(client):
    assert client.user.whoami()["username"] == "admin"
    assert client.help.configuration()["submission.max_file_size"]
    assert client.help.classification_definition()["UNRESTRICTED"]
    assert [service["name"] for service in client.service.list()] != []
    assert client.user.submission_params("admin", "static")["submitter"] == "admin"


def test_it_reads_ontologies(client):
    document = completed(client, content=b"RIG-SCORE:20", fname="a.txt")
    (ontology,) = client.ontology.submission(document["sid"])
    assert ontology["file"]["sha256"] == document["files"][0]["sha256"]
