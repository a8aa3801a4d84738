"""The sync operator, over a real socket: its result, and the stored records."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.operators import AtrocoreSyncRecordsOperator
from tests.atrocore.conftest import NO_COUNTS, counts, products, rows
from tests.context import context

# results


def test_a_catalogue_is_created_then_unchanged_then_updated(served, sync):
    result = sync(rows(250))
    assert result == {
        "entity": "Product",
        **NO_COUNTS,
        "created": 250,
        "total": 250,
        "missing": 0,
        "dry_run": False,
        "problems": [],
        "url": f"{served.base_url}/#Product",
        **dict.fromkeys(("plan_uri", "report_uri", "rejects_uri")),
    }
    before = products(served)
    assert len(before) == 250
    assert before["W-7"]["price"] == pytest.approx(3.5)

    assert counts(sync(rows(250))) == {"unchanged": 250}
    assert products(served) == before

    changed = [*rows(240), *rows(250, price=99)[240:], {"number": "new", "name": "New", "status": "draft"}]
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


def test_any_entity_can_be_synced(served, sync):
    brand = [{"code": "acme", "name": "Acme"}]
    operator = AtrocoreSyncRecordsOperator(task_id="sync", source=brand, entity="Brand", key_field="code")
    result = operator.execute(context(operator))
    assert counts(result) == {"created": 1}
    assert (result["entity"], result["url"]) == ("Brand", f"{served.base_url}/#Brand")
    assert counts(sync(brand, entity="Brand", key_field="code")) == {"unchanged": 1}


def test_an_empty_source_is_rejected_unless_it_is_allowed(sync):
    with pytest.raises(AirflowFailException, match="the source has 0 rows, fewer than min_rows=1"):
        sync([])
    assert counts(sync([], min_rows=0)) == {}


def test_a_generator_is_streamed(sync):
    assert counts(sync(row for row in rows(30))) == {"created": 30}


def test_a_csv_file_gets_its_types_from_the_server(served, sync, tmp_path, dialect):
    key = "sku" if dialect == "espo" else "number"
    path = tmp_path / "catalogue.csv"
    path.write_text(f"{key};name;price;quantity;isActive\nA;Wheel;12,50;;true\nB;Tyre;3;7;\n")
    assert counts(sync(str(path), key_field=key)) == {"created": 2}
    assert products(served)["A"]["price"] == pytest.approx(12.5)
    assert products(served)["B"]["quantity"] == 7
    assert counts(sync(str(path), key_field=key)) == {"unchanged": 2}


@pytest.mark.parametrize(
    ("name", "line"), [("a.csv", "number,price\nA,\n"), ("a.jsonl", '{"number":"A","price":null}')]
)
def test_an_empty_cell_keeps_its_field_unless_it_clears_it(served, sync, tmp_path, name, line):
    sync([{"number": "A", "name": "Wheel", "price": 1}])
    path = tmp_path / name
    path.write_text(line)
    assert counts(sync(str(path))) == {"unchanged": 1}
    assert products(served)["A"]["price"] == 1
    assert counts(sync(str(path), empty="clear")) == {"updated": 1}
    assert products(served)["A"]["price"] is None


def test_a_field_that_a_row_lacks_is_unchanged(served, sync):
    sync([{"number": "A", "name": "Wheel", "price": 1}, {"number": "B", "name": "Tyre", "price": 2}])
    assert counts(sync([{"number": "A"}, {"number": "B", "price": 3}], empty="clear")) == {"unchanged": 1, "updated": 1}
    assert products(served)["A"]["price"] == 1


def test_only_declared_columns_are_sent(served, sync):
    fields = {"Artikelnummer": "number", "Bezeichnung": "name", "intern": None}
    row = {"Artikelnummer": 1, "Bezeichnung": "Rad", "intern": "x", "price": 3}
    assert counts(sync([row], fields=fields)) == {"created": 1}
    assert products(served)["1"]["name"] == "Rad"
    assert products(served)["1"]["price"] is None


# ambiguous and invalid rows


def test_repeated_keys_fail_the_task_unless_they_are_left_out(served, sync):
    twins = [{"number": "twice", "name": "here"}, {"number": "twice", "name": "there"}]
    served.seed({"records": {"Product": twins}})
    given = [{"number": "twice", "name": "x"}, *rows(3), {"number": "W-1", "name": "Again"}]
    with pytest.raises(AirflowFailException, match="W-1"):
        sync(given)
    assert len(served.tables()["products"]) == 2
    result = sync(given, on_duplicate_key="skip")
    assert counts(result) == {"created": 2, "ambiguous": 3}
    assert sorted(problem["key"] for problem in result["problems"]) == ["W-1", "W-1", "twice"]
    assert sum(result[name] for name in NO_COUNTS) == result["total"] == 5
    assert [product["name"] for product in served.tables()["products"] if product["number"] == "twice"] == [
        "there",
        "here",
    ]


def test_a_product_with_a_new_key_is_not_overwritten(served, sync):
    sync([{"number": "old", "name": "Wheel"}])
    record_id = products(served)["old"]["id"]
    AtrocoreHook().update_record("Product", record_id, {"number": "new"})
    result = sync([{"number": "old", "name": "Wheel"}])
    assert counts(result) == {"ambiguous": 1}
    assert "new" in result["problems"][0]["message"]
    assert list(products(served)) == ["new"]


def test_a_deleted_product_is_restored_or_reported(served, sync):
    sync(rows(2))
    AtrocoreHook().delete_record("Product", products(served)["W-1"]["id"])
    assert counts(sync(rows(2), on_deleted="respect")) == {"unchanged": 1, "skipped": 1}
    assert list(products(served)) == ["W-0"]
    assert counts(sync(rows(2))) == {"created": 1, "unchanged": 1}  # the server does not show that it was deleted
    assert sorted(products(served)) == ["W-0", "W-1"]


def test_a_field_that_the_server_lacks_fails_the_task_before_anything_is_sent(served, sync):
    with pytest.raises(AirflowFailException, match="Product has no field 'colour'"):
        sync([*rows(2), {"number": "X", "name": "x", "colour": "red"}], fail_on="never")
    assert products(served) == {}


def test_a_field_that_the_server_would_drop_fails_the_rows_that_differ(served, sync):
    given = [*rows(1), {"number": "X", "name": "x", "createdAt": "2026-03-01T00:00:00Z"}]
    result = sync(given, fail_on="never")
    assert counts(result) == {"created": 1, "failed": 1}
    assert [(problem["key"], problem["result"]) for problem in result["problems"]] == [("X", "forbidden")]


def test_a_new_product_without_a_required_field_fails_before_it_is_sent(served, sync):
    result = sync([*rows(1), {"number": "A"}], fail_on="never")
    assert counts(result) == {"created": 1, "failed": 1}
    assert "name" in result["problems"][0]["message"]


# modes


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("create", {"created": 1, "skipped": 1}), ("update", {"updated": 1, "skipped": 1})],
)
def test_a_mode_leaves_the_other_rows_out(served, sync, mode, expected):
    sync(rows(1))
    assert counts(sync(rows(2, price=9), mode=mode)) == expected


def test_a_field_with_several_options_and_none_stored_is_set(served, sync):
    served.seed({"dialect": "2.3"})
    row = {"number": "W-1", "name": "Wheel"}
    sync([row])
    assert counts(sync([{**row, "tag": "new"}])) == {"updated": 1}
