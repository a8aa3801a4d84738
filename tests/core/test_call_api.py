"""The general operator on a product whose paths have neither a beginning nor an ending in common."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.core.call_api import LARGEST, ProductApiOperator
from self_hosted.core.flow import Flow, Request
from tests.core.toy import Toy, ToyHook, asked_json


class ToyApiOperator(ProductApiOperator):
    hook_class = "tests.core.toy.ToyHook"
    changing_gets: ClassVar[re.Pattern[str]] = re.compile(r"/echo/take")

    def __init__(self, *, path: str, toy_conn_id: str = "toy_default", **kwargs: Any) -> None:
        super().__init__(path=path, **kwargs)
        self.toy_conn_id = toy_conn_id

    def asked(self, request: Request) -> Flow[Any]:
        return asked_json(request)


def executed(context_of, **arguments: Any) -> Any:
    operator = ToyApiOperator(task_id="call", **arguments)
    return operator.execute(context_of(operator))


@pytest.mark.parametrize("path", ["/whoami", "whoami", "/whoami/"])
def test_a_path_is_what_it_says(hook: ToyHook, context_of, path):
    assert executed(context_of, path=path)["user"]


def test_a_get_that_changes_something_is_sent_once_and_confirmed(hook: ToyHook, toy: Toy, context_of):
    with pytest.raises(AirflowFailException, match="confirm must be true: GET /echo/take"):
        executed(context_of, path="/echo/take")
    executed(context_of, path="/echo/take", confirm=True)
    assert toy.times("GET", "/echo/take") == 1


def test_what_is_done_and_answered_at_length_fails_and_says_that_it_is_done(hook: ToyHook, toy: Toy, context_of):
    with pytest.raises(AirflowFailException, match=r"it was done, but the answer has \d+ bytes"):
        executed(context_of, path="/echo", method="PUT", json={"a": "x" * LARGEST})


def test_the_answer_goes_to_a_file_piece_by_piece(hook: ToyHook, toy: Toy, context_of, tmp_path):
    output = str(tmp_path / "file")
    assert executed(context_of, path="/file", output_file=output) == {"output_file": output, "size": len(toy.content)}
    assert (tmp_path / "file").read_bytes() == toy.content


def test_a_product_says_how_it_asks():
    with pytest.raises(NotImplementedError):
        ProductApiOperator(task_id="call", path="/a").asked(Request("GET", "/a"))
