"""AssemblylineRetrohuntOperator against the sandbox, in a worker and deferred."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.operators import AssemblylineRetrohuntOperator
from self_hosted.core.http.errors import WaitTimeoutError
from self_hosted.core.tasks.operator import LINK_KEY, idempotency_key
from tests.context import context, executed

RULE = 'rule test { strings: $a = "evil words" condition: $a }'


@pytest.fixture(autouse=True)
def _enabled(served, conn_id):
    served.seed({"delay": 0, "retrohunt": {"enabled": True, "seconds": 0.05}})


def operator(**arguments):
    usual = {"description": "evil words", "deferrable": False, "poll_interval": 0.02, "wait_timeout": 60}
    return AssemblylineRetrohuntOperator(task_id="hunt", **{**usual, "yara_signature": RULE, **arguments})


def run(task_context=None, **arguments):
    """Return the result of the operator, in a worker or deferred."""
    return executed(lambda: operator(**arguments), task_context)


@pytest.mark.parametrize("deferrable", [False, True])
def test_matching_files_are_found(served, submitted, tmp_path, deferrable):
    for content in ("some evil words", "evil words again", "nice words"):
        submitted(content)
    path = tmp_path / "hits.jsonl"
    task_context = context(operator())
    result = run(task_context, output_uri=str(path), sample_size="1", deferrable=deferrable)
    key = result["key"]
    url = f"{served.base_url}/retrohunt/{key}"
    [hit] = result.pop("hits")
    assert result == {
        "key": key,
        "finished": True,
        "total_hits": 2,
        "total_errors": 0,
        "truncated": False,
        "output_uri": str(path),
        "url": url,
    }
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert hit["sha256"] == rows[0]["sha256"]
    assert len({row["sha256"] for row in rows}) == 2
    assert task_context["ti"].xcoms[LINK_KEY] == url


def test_no_match_is_a_result(served, submitted):
    submitted("nice words")
    served.seed({"retrohunt": {"errors": ["a file could not be read"]}})
    result = run()
    assert (result["total_hits"], result["hits"], result["total_errors"]) == (0, [], 1)
    assert result["output_uri"] is None


def test_a_rule_is_read_from_a_file(served, submitted, tmp_path):
    submitted("evil words")
    path = tmp_path / "rule.yar"
    path.write_text(RULE)
    assert run(yara_signature=None, file=str(path))["total_hits"] == 1
    assert run(yara_signature=None, file=f"file://{path}")["total_hits"] == 1


def test_a_retry_starts_no_second_retrohunt(served):
    first, second = run(), run()
    assert first["key"] == second["key"]
    [row] = served.tables()["retrohunt"]
    assert row["description"].startswith("evil words (Airflow DAG dag, task task, run run: ")
    assert row["description"].endswith(f" [{idempotency_key(context(operator()))}]")


def test_a_start_whose_response_is_lost_is_found(served):
    served.fail("drop", method="PUT", path="/api/v4/retrohunt/")
    assert run()["finished"] is True
    assert len(served.tables()["retrohunt"]) == 1


def test_a_retrohunt_continues_after_the_deadline(served):
    served.seed({"retrohunt": {"seconds": 60}})
    with pytest.raises(WaitTimeoutError, match="its last state is 'running'"):
        run(wait_timeout=0.2)
    assert len(served.tables()["retrohunt"]) == 1


def test_a_server_without_retrohunt_fails_the_task_at_once(served):
    served.seed({"retrohunt": {"enabled": False}})
    with pytest.raises(AirflowFailException, match="retrohunt is not enabled on this server"):
        run()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"yara_signature": None}, "give exactly one of yara_signature, file"),
        ({"file": "/nosuch"}, "give exactly one of yara_signature, file"),
        ({"yara_signature": None, "file": "/nosuch"}, "file: '/nosuch' does not exist"),
        ({"yara_signature": "evil words"}, "yara_signature must be the text of a YARA rule"),
        ({"description": ""}, "description is missing"),
        ({"indices": "cold"}, "indices must be one of"),
        ({"ttl": "soon"}, "ttl must be a whole number, 0 or more, not 'soon'"),
        ({"sample_size": 1001}, "sample_size must be a whole number, from 0 to 1000"),
        ({"output_uri": "hits/"}, "output_uri must be the path or URI of a file, not 'hits/'"),
    ],
)
def test_an_invalid_argument_is_named_and_nothing_is_started(served, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        run(**arguments)
    assert served.tables()["retrohunt"] == []


def test_a_file_that_is_not_a_text_is_named(served, tmp_path):
    (tmp_path / "a.yar").write_bytes(b"rule a { condition: true } // \xff")
    with pytest.raises(AirflowFailException, match=r"file: '.*a.yar' is not a text in UTF-8"):
        run(yara_signature=None, file=str(tmp_path / "a.yar"))


@pytest.fixture
def key(served, hook, submitted) -> str:
    served.seed({"retrohunt": {"seconds": 0, "errors": ["a", "b"]}})
    for number in range(3):
        submitted(f"evil words {number}")
    return str(hook.start_retrohunt(RULE, {"description": "evil words"})["key"])


def test_hits_of_several_pages_are_written(hook, tmp_path, key, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.operators.retrohunt.PAGE_SIZE", 2)
    path = Path(run(output_uri=str(tmp_path / "hits"), sample_size=0)["output_uri"])
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3
