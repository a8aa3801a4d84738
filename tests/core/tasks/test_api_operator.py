"""The API operator, for a product whose paths have no common root or ending."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.tasks.api_operator import MAX_RESULT_BYTES, SelfHostedApiOperator
from self_hosted.core.tasks.job_state import save_job_state
from tests.core.toy import Toy, ToyHook, fetch_json


class ToyApiOperator(SelfHostedApiOperator):
    hook_class = "tests.core.toy.ToyHook"
    unsafe_gets: ClassVar[re.Pattern[str]] = re.compile(r"/echo/take")

    def __init__(self, *, path: str, toy_conn_id: str = "toy_default", **kwargs: Any) -> None:
        super().__init__(path=path, **kwargs)
        self.toy_conn_id = toy_conn_id

    def call(self, request: Request) -> Flow[Any]:
        return fetch_json(request)


def execute(make_context, **arguments: Any) -> Any:
    operator = ToyApiOperator(task_id="call", **arguments)
    return operator.execute(make_context(operator))


@pytest.mark.parametrize("path", ["/whoami", "whoami", "/whoami/"])
def test_outer_slashes_of_a_path_may_be_left_out(hook: ToyHook, make_context, path):
    assert execute(make_context, path=path)["user"]


def test_a_get_with_side_effects_needs_confirmation_and_is_sent_once(hook: ToyHook, toy: Toy, make_context):
    with pytest.raises(AirflowFailException, match="confirm must be true: GET /echo/take"):
        execute(make_context, path="/echo/take")
    execute(make_context, path="/echo/take", confirm=True)
    assert toy.count_requests("GET", "/echo/take") == 1


def test_a_query_that_a_template_rendered_as_text_is_sent(hook: ToyHook, toy: Toy, make_context):
    response = execute(make_context, path="/echo", query="{'rows': 5, 'id': ['a', 'b']}")
    assert response["query"] == [["rows", "5"], ["id", "a"], ["id", "b"]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{'rows': None}", '{"rows": null}'),
        ('[{"a": true}]', '[{"a": true}]'),
        ("text", '"text"'),
        ("None", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_body_may_be_the_text_of_a_list_or_an_object(hook: ToyHook, toy: Toy, make_context, body, expected):
    sent = execute(make_context, path="/echo", method="post", json=body, idempotent="True")["body"]
    assert sent.replace(" ", "") == expected.replace(" ", "")


def test_a_write_with_a_large_response_fails_and_says_that_it_was_done(hook: ToyHook, toy: Toy, make_context):
    with pytest.raises(AirflowFailException, match=r"it was done, but the response has \d+ bytes"):
        execute(make_context, path="/echo", method="PUT", json={"a": "x" * MAX_RESULT_BYTES})


def test_the_response_is_saved_to_a_file(hook: ToyHook, toy: Toy, make_context, tmp_path):
    output = str(tmp_path / "file")
    assert execute(make_context, path="/file", output_uri=output) == {"output_uri": output, "size": len(toy.content)}
    assert (tmp_path / "file").read_bytes() == toy.content


@pytest.mark.parametrize("form", [Path, Path.as_uri])
def test_the_file_of_a_response_may_be_a_path_or_a_uri(hook: ToyHook, toy: Toy, make_context, tmp_path, form):
    path = tmp_path / "new folder" / "file"
    result = execute(make_context, path="/file", output_uri=form(path))
    assert result == {"output_uri": str(path), "size": len(toy.content)}
    assert path.read_bytes() == toy.content


@pytest.mark.parametrize("missing", [None, "", "None"])
def test_without_a_file_the_response_is_the_result(hook: ToyHook, toy: Toy, make_context, missing):
    assert execute(make_context, path="/echo", output_uri=missing, max_size=missing)["path"] == "/toy/echo"


def test_a_saved_response_has_a_maximum_size(hook: ToyHook, toy: Toy, make_context, tmp_path):
    output, size = tmp_path / "file", len(toy.content)
    with pytest.raises(ServerError, match=r"the response is larger than .* \(max_size of the request\)"):
        execute(make_context, path="/file", output_uri=str(output), max_size=size - 1)
    assert not output.exists()
    execute(make_context, path="/file", output_uri=str(output), max_size=str(size))
    assert output.read_bytes() == toy.content


def test_an_invalid_maximum_size_is_named_in_the_error(hook: ToyHook, toy: Toy, make_context, tmp_path):
    with pytest.raises(AirflowFailException, match="max_size must be a whole number, 1 or more, not 'much'"):
        execute(make_context, path="/file", output_uri=str(tmp_path / "file"), max_size="much")
    assert toy.requests == []


@pytest.mark.parametrize("argument", ["idempotent", "confirm"])
def test_an_invalid_boolean_is_named_in_the_error(hook: ToyHook, toy: Toy, make_context, argument):
    with pytest.raises(AirflowFailException, match=f"{argument} must be true or false, not 'maybe'"):
        execute(make_context, path="/echo", method="PUT", **{argument: "maybe"})
    assert toy.requests == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "/echo", "method": "FETCH"}, "method must be one of GET, POST, PUT, PATCH, DELETE, not 'FETCH'"),
        ({"path": "/echo", "json": {"a": 1}}, "json: a GET has no body; use query"),
        ({"path": "/"}, "path must be a path of the product's API, not '/'"),
        ({"path": "/echo/../login"}, "path must be made of names with a slash between them"),
        ({"path": "https://server.example.com/echo"}, "path must be made of names with a slash between them"),
        ({"path": "/echo", "method": "DELETE"}, "confirm must be true: DELETE /echo changes or deletes data"),
    ],
)
def test_invalid_arguments_fail_before_any_request(hook: ToyHook, toy: Toy, make_context, arguments, message):
    with pytest.raises(AirflowFailException, match=re.escape(message)):
        execute(make_context, **arguments)
    assert toy.requests == []


def test_a_write_with_a_lost_response_fails_without_retries(hook: ToyHook, toy: Toy, served, make_context):
    served.fail("drop", path="/echo")
    with pytest.raises(AirflowFailException, match=r"the response was lost: .* It may be done all the same"):
        execute(make_context, path="/echo", method="POST")
    assert toy.count_requests("POST", "/echo") == 1


def test_an_idempotent_write_is_repeated_after_a_lost_response(hook: ToyHook, toy: Toy, served, make_context):
    served.fail("drop", path="/echo")
    assert execute(make_context, path="/echo", method="POST", idempotent="true")["path"] == "/toy/echo"
    assert toy.count_requests("POST", "/echo") == 2


def test_a_retry_after_an_interrupted_write_fails(hook: ToyHook, toy: Toy, make_context):
    operator = ToyApiOperator(task_id="call", path="/echo", method="POST")
    context = make_context(operator)
    save_job_state(context, None)  # as left by a try that was killed during its request
    with pytest.raises(AirflowFailException, match="POST /echo: an earlier try may have done it"):
        operator.execute(context)
    assert toy.requests == []


def test_a_rejected_write_may_be_retried(hook: ToyHook, toy: Toy, served, make_context):
    served.fail("status", status=403, path="/echo")
    operator = ToyApiOperator(task_id="call", path="/echo", method="POST")
    context = make_context(operator)
    with pytest.raises(AirflowFailException, match="HTTP 403"):
        operator.execute(context)
    operator.execute(context)
    assert toy.count_requests("POST", "/echo") == 1


def test_call_is_abstract():
    with pytest.raises(NotImplementedError):
        SelfHostedApiOperator(task_id="call", path="/a").call(Request("GET", "/a"))
