"""AssemblylineApiOperator against the sandbox."""

from __future__ import annotations

import json
import zipfile

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.operators import AssemblylineApiOperator
from self_hosted.core.http.errors import UnavailableError
from self_hosted.core.tasks.operator import LINK_KEY
from tests.context import context
from tests.core.conftest import Store


@pytest.fixture(autouse=True)
def _connected(conn_id):
    """Give each test the default connection."""


@pytest.fixture
def full(served, connect):
    return connect("full", served.connection(extra={"api_key": "full:full-secret"}))


def run(path, store=None, kind=AssemblylineApiOperator, **arguments):
    ti_fields = {name: arguments.pop(name) for name in ("try_number", "run_id", "max_tries") if name in arguments}
    task = kind(task_id="call", path=path, **arguments)
    task_context = context(task, **ti_fields)
    if store is not None:
        task_context["task_state_store"] = store
    return task.execute(task_context)


@pytest.mark.parametrize(
    "path", ["/api/v4/user/whoami/", "api/v4/user/whoami", "/user/whoami/", "user/whoami", "user/%77hoami"]
)
def test_the_path_is_completed(path):
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
def test_the_path_never_leaves_the_api(path):
    with pytest.raises(AirflowFailException, match="path must be"):
        run(path)


def test_query_and_body_are_sent(served, submitted):
    submitted("RIG-SCORE:7", metadata={"case": "a"})
    query = 'metadata.case:"a"'
    found = run("search/submission", query={"query": query, "fl": "sid,max_score", "rows": 1})
    assert found["total"] == 1
    body = {"query": query, "rows": 1}
    assert run("search/submission", method="post", json=body, idempotent="True")["total"] == 1


def test_the_link_opens_the_product(served):
    task = AssemblylineApiOperator(task_id="call", path="service/all")
    task_context = context(task)
    task.execute(task_context)
    assert task_context["ti"].xcoms[LINK_KEY] == served.base_url


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "HEAD"}, "method must be one of GET, POST, PUT, PATCH, DELETE, not 'HEAD'"),
        ({"query": "a=b"}, "query must be a dictionary, not str"),
        ({"json": {}}, "json: a GET has no body"),
        ({"method": "POST", "json": {"a": {1}}}, "json must consist of plain JSON values: Object of type set"),
        ({"query": {"a": object()}}, "query must consist of plain JSON values: Object of type object"),
        ({"output_uri": "rules/"}, "output_uri must be the path or URI of a file, not 'rules/'"),
        ({"confirm": "perhaps"}, "confirm must be true or false, not 'perhaps'"),
        ({"idempotent": 2, "method": "POST"}, "idempotent must be true or false, not 2"),
        ({"method": "DELETE"}, "confirm must be true: DELETE /api/v4/service/all/ changes or deletes data permanently"),
    ],
)
def test_an_invalid_argument_is_named_and_nothing_is_sent(served, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
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
def test_a_get_with_side_effects_must_be_confirmed(path):
    with pytest.raises(AirflowFailException, match="confirm must be true: GET"):
        run(path)


def test_a_confirmed_delete_is_done_once(served, submitted):
    sid = submitted("x")
    assert run(f"submission/{sid}", method="DELETE", confirm="True") == {"success": True}
    assert served.tables()["submissions"] == []
    with pytest.raises(AirflowFailException, match="There is no submission with sid"):
        run(f"submission/{sid}", method="DELETE", confirm=True)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("service/RigScan", "requires one of the following roles: administration"),
        ("no/such", r"Api does not exist \(/api/v4/no/such/\)"),
    ],
)
def test_a_missing_role_and_an_unknown_path_show_the_text_of_the_server(path, message):
    with pytest.raises(AirflowFailException, match=message):
        run(path)


# Large responses


def test_a_response_that_is_too_large_needs_an_output_file(served):
    served.seed({"help": {"tos": "x" * 70_000}})
    with pytest.raises(
        AirflowFailException, match=r"the response has 70002 bytes, more than a result may have .*set output_uri"
    ):
        run("help/tos")


def test_a_json_response_is_written_unchanged(served, tmp_path):
    served.seed({"help": {"tos": "x" * 70_000}})
    output = str(tmp_path / "new" / "tos.json")
    result = run("help/tos", output_uri=output)
    written = json.loads((tmp_path / "new" / "tos.json").read_text())
    assert written["api_response"] == "x" * 70_000
    assert result == {"output_uri": output, "size": (tmp_path / "new" / "tos.json").stat().st_size}


def test_a_binary_response_is_written(served, tmp_path):
    rule = {
        "type": "yara",
        "source": "own",
        "signature_id": "a",
        "name": "a",
        "data": "rule a {}",
        "status": "DEPLOYED",
    }
    served.seed({"signatures": {"signatures": [rule]}})
    run("signature/download", output_uri=f"file://{tmp_path}/rules.zip")
    with zipfile.ZipFile(tmp_path / "rules.zip") as archive:
        assert archive.read("yara/own") == b"rule a {}"


def test_an_error_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("before")
    with pytest.raises(AirflowFailException, match="There is no submission"):
        run("ontology/submission/nosuch", output_uri=str(path))
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.jsonl", "before")]


# Lost responses, killed workers, retries

SUBMIT = {"path": "submit", "method": "POST", "json": {"plaintext": "x"}}
ADVICE = "clear the task to send it again, or set idempotent=True"


def submissions(served):
    return len(served.tables()["submissions"])


def test_a_write_whose_response_was_lost_is_not_repeated(served):
    served.fail("drop", method="POST", path="/api/v4/submit/")
    store = Store()
    with pytest.raises(AirflowFailException, match=rf".*It may be done all the same.*{ADVICE}"):
        run(**SUBMIT, store=store)
    assert submissions(served) == 1
    with pytest.raises(AirflowFailException, match=f"an earlier try may have done it.*{ADVICE}"):
        run(**SUBMIT, store=store, try_number=2)
    assert submissions(served) == 1


def test_an_idempotent_write_is_repeated(served):
    served.fail("drop", method="POST", path="/api/v4/submit/")
    assert run(**SUBMIT, idempotent=True)["state"] == "submitted"
    assert submissions(served) == 2


def test_after_a_killed_worker_a_retry_reports_an_unknown_effect(served):
    class Killed(AssemblylineApiOperator):
        def call(self, request):
            raise KeyboardInterrupt

    store = Store()
    with pytest.raises(KeyboardInterrupt):
        run(**SUBMIT, store=store, kind=Killed)
    with pytest.raises(AirflowFailException, match=f"an earlier try may have done it.*{ADVICE}"):
        run(**SUBMIT, store=store, try_number=2)
    assert submissions(served) == 0


def test_without_a_store_every_retry_has_an_unknown_effect(served):
    with pytest.raises(AirflowFailException, match="an earlier try may have done it"):
        run(**SUBMIT, try_number=2)
    assert run("service/all", try_number=2)
    assert run(**SUBMIT, idempotent=True, try_number=2)["state"] == "submitted"


def test_a_rejected_write_is_left_to_the_next_try(served, connect):
    conn_id = connect("impatient", served.connection(extra={"retry_timeout": 0}))
    store = Store()
    served.fail("status", method="POST", path="/api/v4/submit/")
    with pytest.raises(UnavailableError):
        run(**SUBMIT, store=store, assemblyline_conn_id=conn_id)
    assert run(**SUBMIT, store=store, assemblyline_conn_id=conn_id, try_number=2)["state"] == "submitted"
    assert store.values == {}


def test_a_cleared_task_sends_it_again(served):
    served.fail("drop", method="POST", path="/api/v4/submit/")
    store = Store()
    with pytest.raises(AirflowFailException):
        run(**SUBMIT, store=store)
    assert run(**SUBMIT, store=store, try_number=2, max_tries=1)["state"] == "submitted"


def test_a_get_is_repeated(served):
    served.fail("drop", path="/api/v4/service/all/")
    assert run("service/all")[0]["name"] == "RigScan"


def test_the_key_of_an_administrator_has_more_permissions(full):
    assert run("service/RigScan", assemblyline_conn_id=full)["timeout"] == 60
