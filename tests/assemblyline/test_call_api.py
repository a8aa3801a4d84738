"""The general operator, against the stand-in."""

from __future__ import annotations

import json
import zipfile

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.operators import AssemblylineApiOperator
from self_hosted.core.errors import Busy
from self_hosted.core.operator import LINK_KEY
from tests.context import context


class Store(dict):  # type: ignore[type-arg]
    """A task's state, as Airflow keeps it from one try to the next."""

    set = dict.__setitem__

    def delete(self, key):
        self.pop(key, None)


@pytest.fixture(autouse=True)
def _connected(conn_id):
    """All tests here have the default connection."""


@pytest.fixture
def full(served, connect):
    return connect("full", served.connection(extra={"api_key": "full:full-secret"}))


def run(path, store=None, kind=AssemblylineApiOperator, **arguments):
    of_ti = {name: arguments.pop(name) for name in ("try_number", "run_id", "max_tries") if name in arguments}
    task = kind(task_id="call", path=path, **arguments)
    told = context(task, **of_ti)
    if store is not None:
        told["task_state_store"] = store
    return task.execute(told)


@pytest.mark.parametrize(
    "path", ["/api/v4/user/whoami/", "api/v4/user/whoami", "/user/whoami/", "user/whoami", "user/%77hoami"]
)
def test_the_path_is_put_right(path):
    assert run(path)["username"] == "admin"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        None,
        "https://evil.example/",
        "//evil.example/x",
        "../../healthz/live",
        "user/../../x",
        "user/%2e%2E/x",
        "user/..%2fx",
        "user/x%5c..",
        "user//whoami",
        "user/whoami/?a=b",
        "user/whoami#x",
        "user/who ami",
        "user/who%ami",
        "user/\r\nX-Header: a",
    ],
)
def test_the_path_never_leads_elsewhere(path):
    with pytest.raises(AirflowFailException, match="path must be"):
        run(path)


def test_query_and_body_are_sent(served, submitted):
    submitted("RIG-SCORE:7", metadata={"case": "a"})
    query = 'metadata.case:"a"'
    found = run("search/submission", query={"query": query, "fl": "sid,max_score", "rows": 1})
    assert found["total"] == 1
    body = {"query": query, "rows": 1}
    assert run("search/submission", method="post", json=body, repeatable="True")["total"] == 1


def test_the_link_leads_to_the_product(served):
    task = AssemblylineApiOperator(task_id="call", path="service/all")
    told = context(task)
    task.execute(told)
    assert told["ti"].xcoms[LINK_KEY] == served.base_url


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "HEAD"}, "method must be one of GET, POST, PUT, PATCH, DELETE, not 'HEAD'"),
        ({"query": "a=b"}, "query must be a dictionary, not str"),
        ({"json": {}}, "json: a GET has no body"),
        ({"method": "POST", "json": {"a": {1}}}, "json must be made of plain JSON values: Object of type set"),
        ({"query": {"a": object()}}, "query must be made of plain JSON values: Object of type object"),
        ({"output_file": ""}, "output_file must be the path or URI of a file, not ''"),
        ({"confirm": "yes"}, "confirm must be true or false, not 'yes'"),
        ({"repeatable": 1, "method": "POST"}, "repeatable must be true or false, not 1"),
        ({"method": "DELETE"}, "confirm must be true: DELETE /api/v4/service/all/ changes or removes something"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_sent(served, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        run("service/all", **arguments)


@pytest.mark.parametrize(
    "path",
    [
        "submit/resubmit/a",
        "submit/dynamic/a",
        "alert/ownership/a",
        "%61lert/ownership/a",
        "ingest/get_message/q",
        "ingest/get_message_list/q",
        "live/get_message/q",
        "signature/change_status/a/NOISY",
        "signature/clear_status/a",
        "service/update_all",
        "webauthn/remove/key",
        "workflow/a/run",
        "user/tos/admin",
        "auth/logout",
    ],
)
def test_a_get_that_changes_something_has_to_be_confirmed(path):
    with pytest.raises(AirflowFailException, match="confirm must be true: GET"):
        run(path)


def test_a_confirmed_delete_is_done_once(served, submitted):
    sid = submitted("x")
    assert run(f"submission/{sid}", method="DELETE", confirm="True") == {"success": True}
    assert served.tables()["submissions"] == []
    with pytest.raises(AirflowFailException, match="There is no submission with sid"):
        run(f"submission/{sid}", method="DELETE", confirm=True)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("service/RigScan", "requires one of the following roles: administration"),
        ("no/such", r"Api does not exist \(/api/v4/no/such/\)"),
    ],
)
def test_a_missing_right_and_an_unknown_path_are_told_in_the_servers_words(path, words):
    with pytest.raises(AirflowFailException, match=words):
        run(path)


# Large answers


def test_an_answer_that_is_too_large_asks_for_a_file(served):
    served.seed({"help": {"tos": "x" * 70_000}})
    with pytest.raises(AirflowFailException, match=r"the answer has 70002 bytes, too many for a result .*set output"):
        run("help/tos")


def test_a_json_answer_is_written_as_it_comes(served, tmp_path):
    served.seed({"help": {"tos": "x" * 70_000}})
    output = str(tmp_path / "new" / "tos.json")
    result = run("help/tos", output_file=output)
    written = json.loads((tmp_path / "new" / "tos.json").read_text())
    assert written["api_response"] == "x" * 70_000
    assert result == {"output_file": output, "size": (tmp_path / "new" / "tos.json").stat().st_size}


def test_bytes_are_written(served, tmp_path):
    rule = {
        "type": "yara",
        "source": "own",
        "signature_id": "a",
        "name": "a",
        "data": "rule a {}",
        "status": "DEPLOYED",
    }
    served.seed({"signatures": {"signatures": [rule]}})
    run("signature/download", output_file=f"file://{tmp_path}/rules.zip")
    with zipfile.ZipFile(tmp_path / "rules.zip") as archive:
        assert archive.read("yara/own") == b"rule a {}"


def test_an_error_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("before")
    with pytest.raises(AirflowFailException, match="There is no submission"):
        run("ontology/submission/nosuch", output_file=str(path))
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.jsonl", "before")]


# Lost answers, killed workers, further tries

SUBMIT = {"path": "submit", "method": "POST", "json": {"plaintext": "x"}}
AGAIN = "clear the task to ask again, or set repeatable=True"


def submissions(served):
    return len(served.tables()["submissions"])


def test_what_changes_something_is_not_sent_again_when_its_answer_is_lost(served):
    served.fail("drop", method="POST", path="/api/v4/submit/")
    store = Store()
    with pytest.raises(AirflowFailException, match=rf"the answer was lost.* It may be done all the same.*{AGAIN}"):
        run(**SUBMIT, store=store)
    assert submissions(served) == 1
    with pytest.raises(AirflowFailException, match=f"an earlier try may have done it.*{AGAIN}"):
        run(**SUBMIT, store=store, try_number=2)
    assert submissions(served) == 1


def test_what_may_be_repeated_is_sent_again(served):
    served.fail("drop", method="POST", path="/api/v4/submit/")
    assert run(**SUBMIT, repeatable=True)["state"] == "submitted"
    assert submissions(served) == 2


def test_after_a_killed_worker_nobody_knows_and_a_further_try_says_so(served):
    class Killed(AssemblylineApiOperator):
        def asked(self, request):
            raise KeyboardInterrupt

    store = Store()
    with pytest.raises(KeyboardInterrupt):
        run(**SUBMIT, store=store, kind=Killed)
    with pytest.raises(AirflowFailException, match=f"an earlier try may have done it.*{AGAIN}"):
        run(**SUBMIT, store=store, try_number=2)
    assert submissions(served) == 0


def test_without_a_store_every_further_try_is_in_doubt(served):
    with pytest.raises(AirflowFailException, match="an earlier try may have done it"):
        run(**SUBMIT, try_number=2)
    assert run("service/all", try_number=2)
    assert run(**SUBMIT, repeatable=True, try_number=2)["state"] == "submitted"


def test_what_was_certainly_not_done_is_left_to_the_next_try(served, connect):
    conn_id = connect("impatient", served.connection(extra={"retry_budget": 0}))
    store = Store()
    served.fail("status", method="POST", path="/api/v4/submit/")
    with pytest.raises(Busy):
        run(**SUBMIT, store=store, assemblyline_conn_id=conn_id)
    assert run(**SUBMIT, store=store, assemblyline_conn_id=conn_id, try_number=2)["state"] == "submitted"
    assert store == {}


def test_a_cleared_task_asks_again(served):
    served.fail("drop", method="POST", path="/api/v4/submit/")
    store = Store()
    with pytest.raises(AirflowFailException):
        run(**SUBMIT, store=store)
    assert run(**SUBMIT, store=store, try_number=2, max_tries=1)["state"] == "submitted"


def test_a_get_is_sent_again(served):
    served.fail("drop", path="/api/v4/service/all/")
    assert run("service/all")[0]["name"] == "RigScan"


def test_an_administrators_key_reaches_what_is_the_administrators(full):
    assert run("service/RigScan", assemblyline_conn_id=full)["timeout"] == 60
