"""AssemblylineSearchOperator against the sandbox."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.operators import AssemblylineSearchOperator
from self_hosted.core.http.errors import ServerError
from self_hosted.core.tasks.operator import LINK_KEY
from tests.assemblyline.conftest import upload
from tests.context import context


def search(**arguments):
    task = AssemblylineSearchOperator(task_id="search", **{"index": "submission", "query": "*", **arguments})
    return task.execute(context(task))


@pytest.fixture
def seven(served, hook):
    """Create seven completed submissions with the scores 0 to 6."""
    served.seed({"delay": 0})
    for number in range(7):
        hook.submit(upload(f"RIG-SCORE:{number}"), {})
    assert hook.search_with_total("submission", {"query": "*"})["total"] == 7


@pytest.mark.usefixtures("seven")
def test_matches_are_written_to_a_file_with_one_object_per_line(served, tmp_path):
    output = str(tmp_path / "deep" / "found.jsonl")
    result = search(query="max_score:>=2", fields="sid, max_score", sort="max_score asc", output_uri=output)
    url = f"{served.base_url}/search/submission?query=max_score%3A%3E%3D2"
    assert result == {"index": "submission", "count": 5, "output_uri": output, "more": False, "url": url}
    rows = [json.loads(line) for line in (tmp_path / "deep" / "found.jsonl").read_text().splitlines()]
    assert [row["max_score"] for row in rows] == [2, 3, 4, 5, 6]
    assert set(rows[0]) == {"sid", "max_score"}


@pytest.mark.usefixtures("seven")
def test_without_a_file_the_rows_are_the_result(served):
    arguments = {"filters": ["max_score:>=1", "NOT max_score:3"], "fields": ["max_score"], "sort": "max_score desc"}
    result = search(**arguments)
    assert result["rows"] == [{"max_score": score} for score in (6, 5, 4, 2, 1)]
    assert (result["count"], result["more"]) == (5, False)


@pytest.mark.usefixtures("seven")
@pytest.mark.parametrize(("limit", "count", "more"), [(3, 3, True), ("3", 3, True), (7, 7, False), (8, 7, False)])
@pytest.mark.parametrize("into_file", [True, False])
def test_a_limit_applies_and_the_result_says_whether_there_are_more(tmp_path, limit, count, more, into_file):
    output = str(tmp_path / "found.jsonl") if into_file else None
    result = search(limit=limit, output_uri=output, sort="max_score desc", fields="max_score")
    assert (result["count"], result["more"]) == (count, more)
    if into_file:
        assert len((tmp_path / "found.jsonl").read_text().splitlines()) == count


@pytest.mark.usefixtures("seven")
def test_the_file_may_be_in_an_object_store(tmp_path):
    assert search(output_uri=f"file://{tmp_path}/found.jsonl")["count"] == 7
    assert len((tmp_path / "found.jsonl").read_text().splitlines()) == 7


@pytest.mark.usefixtures("conn_id")
def test_a_search_without_matches_writes_an_empty_file(tmp_path):
    assert search(output_uri=str(tmp_path / "found.jsonl"))["count"] == 0
    assert (tmp_path / "found.jsonl").stat().st_size == 0


@pytest.mark.usefixtures("seven")
def test_an_interrupted_search_leaves_no_partial_file(served, tmp_path, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.search.search.PAGE_SIZE", 3)
    served.seed({"searches": {"keep_alive": 0}})
    (tmp_path / "found.jsonl").write_text("of yesterday\n")
    with pytest.raises(ServerError, match="the paginated search expired"):
        search(output_uri=str(tmp_path / "found.jsonl"))
    assert [path.name for path in tmp_path.iterdir()] == ["found.jsonl"]
    assert (tmp_path / "found.jsonl").read_text() == "of yesterday\n"


@pytest.mark.usefixtures("conn_id")
def test_the_link_opens_the_search(served):
    task = AssemblylineSearchOperator(task_id="a", index="file", query="size:>1")
    task_context = context(task)
    task.execute(task_context)
    assert task_context["ti"].xcoms[LINK_KEY] == f"{served.base_url}/search/file?query=size%3A%3E1"


@pytest.mark.usefixtures("conn_id")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"index": "files"}, "index must be one of alert"),
        ({"index": []}, "index must be one of alert"),
        ({"query": ""}, "query must be a Lucene query"),
        ({"query": "a:("}, r"Failed to parse query \[a:\(\]"),
        ({"filters": 7.5}, "filters must be a text or a list of texts"),
        ({"fields": {"a": 1}}, "fields must be a text or a list of texts"),
        ({"sort": "sid"}, "sort must be text"),
        ({"limit": "many"}, "limit must be a whole number"),
        ({"limit": 0}, "limit must be a whole number, 1 or more"),
        ({"limit": 1001}, "limit must be 1000 or less without output_uri"),
        ({"use_archive": "perhaps"}, "use_archive must be true or false"),
    ],
)
def test_an_invalid_argument_of_a_search_is_named(arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        search(**arguments)


def test_dag_parsing_sends_no_request():
    AssemblylineSearchOperator(task_id="a", index="{{ x }}", query="{{ y }}", assemblyline_conn_id="nosuch")
