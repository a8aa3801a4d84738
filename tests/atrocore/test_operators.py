"""The sync operator, over a real socket: its result, and the stored records."""

from __future__ import annotations

import json
from contextlib import nullcontext

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.atrocore.api.sync.changes import RowOutcome
from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.operators.sync_report import SyncReport
from tests.atrocore.conftest import NO_COUNTS, counts, products, rows
from tests.lineage import collected

# results


def test_a_catalogue_is_created_then_unchanged_then_updated(served, sync):
    result = sync(rows(250))
    assert result == {
        "entity": "Product",
        **NO_COUNTS,
        "created": 250,
        "total": 250,
        "dry_run": False,
        "failures": [],
        "ambiguous_keys": [],
        "url": f"{served.base_url}/#Product",
    }
    before = products(served)
    assert len(before) == 250
    assert before["W-7"]["price"] == pytest.approx(3.5)

    assert counts(sync(rows(250))) == {"unchanged": 250}
    assert products(served) == before

    changed = [*rows(240), *rows(250, price=99)[240:], {"number": "new", "name": "New"}]
    assert counts(sync(changed)) == {"unchanged": 240, "updated": 10, "created": 1}
    assert products(served)["W-245"]["price"] == 99
    assert products(served)["W-245"]["name"] == "Wheel 245"


def test_a_sync_works_in_every_dialect(served, sync, dialect):
    key = "sku" if dialect == "espo" else "number"
    catalogue = [{key: f"W-{n}", "name": f"Wheel {n}", "price": n / 2} for n in range(30)]
    assert counts(sync(catalogue, key_field=key, batch_size=7)) == {"created": 30}
    assert counts(sync(catalogue, key_field=key)) == {"unchanged": 30}
    assert counts(sync([{**row, "price": 5} for row in catalogue], key_field=key)) == {"updated": 29, "unchanged": 1}


@pytest.mark.parametrize("core", ["1.2.0", "1.4.113", "1.4.114", "1.10.60", "1.11.30", "2.0.27", "2.1.0", "2.3.0"])
def test_a_sync_works_with_every_core(served, sync, core):
    served.seed({"core": core})
    key = "number" if tuple(map(int, core.split("."))) >= (2, 0, 28) else "sku"
    catalogue = [{key: f"W-{n}", "name": f"Wheel {n}", "price": n / 2} for n in range(5)]
    assert counts(sync(catalogue, key_field=key)) == {"created": 5}
    assert counts(sync(catalogue, key_field=key)) == {"unchanged": 5}


def test_another_entity_can_be_synced(sync):
    assert counts(sync([{"code": "acme", "name": "Acme"}], entity="Brand", key_field="code")) == {"created": 1}


def test_an_empty_source_has_a_result(sync):
    assert counts(sync([])) == {}


def test_a_generator_is_streamed(sync):
    assert counts(sync(row for row in rows(30))) == {"created": 30}


def test_a_csv_file_gets_its_types_from_the_server(served, sync, tmp_path):
    path = tmp_path / "catalogue.csv"
    path.write_text("number,name,price,quantity,isActive\nA,Wheel,12.50,,true\nB,Tyre,3,7,\n")
    assert counts(sync(str(path))) == {"created": 2}
    assert products(served)["A"]["price"] == pytest.approx(12.5)
    assert products(served)["B"]["quantity"] == 7
    assert counts(sync(str(path))) == {"unchanged": 2}


def test_null_empties_a_field_and_an_empty_cell_does_not(served, sync, tmp_path):
    sync([{"number": "A", "name": "Wheel", "price": 1}])
    sheet, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    sheet.write_text("number,price\nA,\n")
    assert counts(sync(str(sheet))) == {"unchanged": 1}
    lines.write_text('{"number": "A", "price": null}\n')
    assert counts(sync(str(lines))) == {"updated": 1}
    assert products(served)["A"]["price"] is None


def test_columns_are_mapped(served, sync):
    mapping = {"Artikelnummer": "number", "Bezeichnung": "name", "intern": None}
    assert counts(sync([{"Artikelnummer": 1, "Bezeichnung": "Rad", "intern": "x"}], field_mapping=mapping)) == {
        "created": 1
    }
    assert products(served)["1"]["name"] == "Rad"


# ambiguous and invalid rows


def test_repeated_keys_are_reported_and_nothing_is_sent_for_them(served, sync):
    twins = [{"number": "twice", "name": "here"}, {"number": "twice", "name": "there"}]
    served.seed({"records": {"Product": twins}})
    result = sync([{"number": "twice", "name": "x"}, *rows(3), {"number": "W-1", "name": "Again"}])
    assert counts(result) == {"created": 2, "ambiguous": 3}
    assert sorted(result["ambiguous_keys"]) == ["W-1", "twice"]
    assert sum(result[name] for name in NO_COUNTS) == result["total"] == 5
    assert [product["name"] for product in served.tables()["products"] if product["number"] == "twice"] == [
        "there",
        "here",
    ]


def test_a_product_with_a_new_key_is_not_overwritten(served, sync, connect):
    sync([{"number": "old", "name": "Wheel"}])
    record_id = products(served)["old"]["id"]
    AtrocoreHook().update_record("Product", record_id, {"number": "new"})
    assert counts(sync([{"number": "old", "name": "Wheel"}])) == {"ambiguous": 1}
    assert list(products(served)) == ["new"]


def test_a_deleted_product_is_restored(served, sync):
    sync(rows(2))
    AtrocoreHook().delete_record("Product", products(served)["W-1"]["id"])
    assert counts(sync(rows(2))) == {"created": 1, "unchanged": 1}


def test_a_field_the_server_would_drop_fails_its_row(served, sync):
    given = [*rows(2), {"number": "X", "name": "x", "colour": "red"}]
    result = sync(given, fail_on="never")
    assert counts(result) == {"created": 2, "failed": 1}
    assert result["failures"] == [
        {"key": "X", "message": "Product has no writable field colour; AtroCore would drop it"}
    ]


def test_missing_required_fields_are_logged_before_anything_is_sent(sync, logged):
    sync([{"number": "A"}], dry_run=True)
    assert "New records lack name, status: they fail unless Product has defaults for it" in logged()


# dry run and report


def test_a_dry_run_returns_the_plan_and_sends_nothing(served, sync):
    sync(rows(2))
    result = sync([*rows(1), *rows(2, price=7)[1:], *rows(3)[2:], {"number": "X", "nope": 1}], dry_run="True")
    assert counts(result) == {"unchanged": 1, "updated": 1, "created": 1, "failed": 1}
    assert result["dry_run"] is True
    assert {step["key"]: (step["result"], step["values"]) for step in result["plan"]} == {
        "W-1": ("updated", {"price": 7}),
        "W-2": ("created", rows(3)[2]),
    }
    assert set(products(served)) == {"W-0", "W-1"}
    assert products(served)["W-1"]["price"] == pytest.approx(0.5)


def test_lists_of_the_result_are_short_and_the_report_has_every_row(served, sync, tmp_path):
    report = tmp_path / "report.json"
    given = [*rows(30), *[{"number": f"bad {n}", "nope": 1} for n in range(25)]]
    result = sync(given, fail_on=0.5, report_uri=str(report))
    assert len(result["failures"]) == 20
    written = json.loads(report.read_text())
    assert {name: written[name] for name in result} == result
    assert len(written["rows"]) == 55
    assert {row["result"] for row in written["rows"] if row["key"].startswith("bad")} == {"failed"}


def test_the_report_may_have_a_uri_and_is_written_also_if_the_task_fails(sync, tmp_path):
    report = tmp_path / "report.json"
    with pytest.raises(AirflowFailException):
        sync([{"number": "A", "nope": 1}], report_uri=f"file://{report}")
    assert json.loads(report.read_text())["failed"] == 1


def test_an_empty_report_is_valid_json(sync, tmp_path):
    sync([], report_uri=str(tmp_path / "report.json"))
    assert json.loads((tmp_path / "report.json").read_text())["rows"] == []


def test_an_interrupted_report_leaves_the_previous_file_unchanged(tmp_path):
    target = tmp_path / "report.json"
    target.write_text("previous")
    with SyncReport(keep_all=True) as report:
        report.add([RowOutcome("A", "unchanged")])
        summary = report.summarize()
    with pytest.raises(ValueError, match="closed file"):  # the rows are gone, once the report is closed
        report.write(str(target), summary)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("report.json", "previous")]


@pytest.mark.parametrize("fails", [False, True])
def test_the_report_is_an_output_of_the_task_in_airflows_lineage(sync, tmp_path, monkeypatch, fails):
    collector = collected(monkeypatch)
    report = tmp_path / "new folder" / "report.json"
    with pytest.raises(AirflowFailException) if fails else nullcontext():
        sync([{"number": "A", "nope": 1}] if fails else rows(1), report_uri=str(report))
    assert report.as_uri() in {output.asset.uri for output in collector.collected_assets.outputs}
    assert json.loads(report.read_text())["total"] == 1
