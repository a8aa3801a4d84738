"""What a sync writes besides its result: dry run, report, and the rows to correct."""

from __future__ import annotations

import json
from contextlib import nullcontext

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from tests.atrocore.conftest import counts, products, rows
from tests.lineage import collected

BAD = {"number": "bad", "name": "Wheel", "price": "a lot"}


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


# dry run


def test_a_dry_run_returns_the_changes_and_sends_nothing(served, sync):
    sync(rows(2))
    result = sync([*rows(1), *rows(2, price=7)[1:], *rows(3)[2:], BAD], dry_run="True", fail_on="any")
    assert counts(result) == {"unchanged": 1, "update": 1, "create": 1, "failed": 1}
    assert (result["dry_run"], result["total"], result["plan_uri"]) == (True, 4, None)
    assert {change["key"]: (change["do"], change["fields"]) for change in result["changes"]} == {
        "W-1": ("update", {"price": [0.5, 7]}),
        "W-2": ("create", {"name": [None, "Wheel 2"], "price": [None, 1], "status": [None, "draft"]}),
    }
    assert [(problem["key"], problem["result"]) for problem in result["problems"]] == [("bad", "failed")]
    assert set(products(served)) == {"W-0", "W-1"}
    assert products(served)["W-1"]["price"] == pytest.approx(0.5)


def test_the_plan_of_a_dry_run_can_be_kept(served, sync, tmp_path):
    plan_uri = tmp_path / "plan.jsonl"
    assert sync(rows(30), dry_run=True, plan_uri=plan_uri)["plan_uri"] == str(plan_uri)
    assert [line["key"] for line in read_lines(plan_uri)[1:-1]] == sorted(row["number"] for row in rows(30))
    assert products(served) == {}


# report


def test_lists_of_the_result_are_short_and_the_report_has_every_outcome(sync, tmp_path):
    report = tmp_path / "report.jsonl"
    given = [*rows(30), *[{**BAD, "number": f"bad {n}"} for n in range(25)]]
    result = sync(given, fail_on=0.5, report_uri=str(report))
    assert len(result["problems"]) == 20
    lines = read_lines(report)
    assert len(lines) == 55
    assert {line["result"] for line in lines if line["key"].startswith("bad")} == {"failed"}
    assert {line["result"] for line in lines if line["key"].startswith("W-")} == {"created"}
    assert sorted(line["row"] for line in lines) == list(range(1, 56))


def test_unchanged_rows_are_counted_but_not_listed(sync, tmp_path):
    sync(rows(3))
    report = tmp_path / "report.jsonl"
    result = sync([*rows(3), {"number": "new", "name": "New"}], report_uri=report)
    assert counts(result) == {"unchanged": 3, "created": 1}
    assert [(line["key"], line["result"]) for line in read_lines(report)] == [("new", "created")]


def test_the_report_may_have_a_uri_and_is_written_also_if_the_task_fails(sync, tmp_path):
    report = tmp_path / "report.jsonl"
    with pytest.raises(AirflowFailException):
        sync([BAD], report_uri=f"file://{report}")
    assert [line["result"] for line in read_lines(report)] == ["failed"]


def test_an_empty_report_is_an_empty_file(sync, tmp_path):
    report = tmp_path / "report.jsonl"
    sync([], report_uri=report, min_rows=0)
    assert report.read_bytes() == b""


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("name", ["report_uri", "rejects_uri", "plan_uri"])
def test_each_file_is_an_output_of_the_task_in_airflows_lineage(sync, tmp_path, monkeypatch, fails, name):
    collector = collected(monkeypatch)
    file = tmp_path / "new folder" / "file.jsonl"
    with pytest.raises(AirflowFailException) if fails else nullcontext():
        sync([BAD] if fails else rows(1), **{name: str(file)})
    assert file.as_uri() in {output.asset.uri for output in collector.collected_assets.outputs}
    assert file.exists()


def test_the_files_of_an_apply_are_in_airflows_lineage(plan, apply, tmp_path, monkeypatch):
    planned = plan(rows(2))
    collector = collected(monkeypatch)
    report, rejects = tmp_path / "report.jsonl", tmp_path / "rejects.jsonl"
    result = apply(planned, report_uri=report, rejects_uri=rejects)
    assert (result["report_uri"], result["rejects_uri"]) == (str(report), str(rejects))
    found = collector.collected_assets
    assert [each.asset.uri for each in found.inputs] == [(tmp_path / "plan.jsonl").as_uri()]
    assert {report.as_uri(), rejects.as_uri()} <= {each.asset.uri for each in found.outputs}
    assert [line["result"] for line in read_lines(report)] == ["created"] * 2


# rejected rows


@pytest.mark.parametrize("ending", ["csv", "jsonl", "csv.gz"])
def test_rejected_rows_are_corrected_and_synced_again(served, sync, tmp_path, ending):
    source, rejects = tmp_path / "in.csv", tmp_path / f"rejects.{ending}"
    source.write_text("number;name;price;ean\nA;Wheel;1.5;\nB;Tyre;2.5;12\nC;Bolt;a lot;\n", encoding="utf-8")
    result = sync(source, rejects_uri=rejects, fail_on="never")
    assert counts(result) == {"created": 1, "failed": 2}

    again = sync(rejects, fail_on="never", rejects_uri=tmp_path / "still.csv")
    assert counts(again) == {"failed": 2}
    if not ending.endswith("gz"):
        rejects.write_text(rejects.read_text().replace("a lot", "3.5").replace("12", "4006381333931"))
        assert counts(sync(rejects)) == {"created": 2}
        assert {product["price"] for product in products(served).values()} == {1.5, 2.5, 3.5}


def test_rejected_changes_of_a_plan_are_a_source_too(served, sync, plan, apply, tmp_path):
    sync(rows(2))
    planned, rejects = plan(rows(2, price=7)), tmp_path / "rejects.jsonl"
    record_id = products(served)["W-1"]["id"]
    from self_hosted.atrocore.hook import AtrocoreHook

    AtrocoreHook().update_record("Product", record_id, {"price": 99})
    result = apply(planned, rejects_uri=rejects, fail_on="never")
    assert counts(result) == {"updated": 1, "conflict": 1}
    [line] = read_lines(rejects)
    assert {name: line[name] for name in ("number", "price")} == {"number": "W-1", "price": 7}
    assert "conflict" in line["_error"]
    assert counts(sync(rejects)) == {"updated": 1}
    assert products(served)["W-1"]["price"] == 7
