"""The sync operator, over a real socket: its result, and the stored records."""

from __future__ import annotations

import json
import logging
from contextlib import nullcontext
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.atrocore.api.sync.changes import RowOutcome
from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.operators import AtrocoreLink, AtrocoreSyncProductsOperator
from self_hosted.atrocore.operators.sync_report import SyncReport
from self_hosted.core.arguments import parse_bool
from self_hosted.core.http.errors import SelfHostedError, ServerError, UnavailableError
from tests.context import context
from tests.lineage import collected

NO_COUNTS = {"created": 0, "updated": 0, "unchanged": 0, "ambiguous": 0, "failed": 0}


def rows(count, **changes):
    return [
        {"number": f"W-{n}", "name": f"Wheel {n}", "price": n / 2, "status": "draft", **changes} for n in range(count)
    ]


@pytest.fixture
def sync(served, connect):
    connect("atrocore_default", served.connection())

    def run(catalogue, **arguments):
        operator = AtrocoreSyncProductsOperator(task_id="sync", rows=catalogue, **arguments)
        return operator.execute(context(operator))

    return run


def counts(result):
    return {name: result[name] for name in NO_COUNTS if result[name]}


def products(served):
    return {product["number"]: product for product in served.tables()["products"]}


@pytest.fixture
def logged(capsys, caplog):
    """Return a function that returns everything logged so far; versions of Airflow log to different places."""
    caplog.set_level(logging.INFO)
    texts = []

    def text():
        captured = capsys.readouterr()
        texts.append(captured.out + captured.err)
        return "".join(texts) + caplog.text

    return text


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


# failure threshold


@pytest.mark.parametrize(
    ("fail_on", "fails"), [("any", True), ("never", False), (0.5, False), ("0.2", True), (0, True)]
)
def test_the_task_fails_after_all_other_rows_are_done(served, sync, fail_on, fails):
    given = [*rows(3), {"number": "bad", "name": ""}]
    if fails:
        with pytest.raises(
            AirflowFailException, match="1 of 4 rows failed, the first with the key bad: fieldIsRequired"
        ):
            sync(given, fail_on=fail_on)
    else:
        assert sync(given, fail_on=fail_on)["failures"] == [{"key": "bad", "message": "fieldIsRequired: name"}]
    assert len(products(served)) == 3


def test_a_failure_that_may_pass_is_left_to_the_tasks_retries(served, sync):
    served.seed({"poison": ["W-1"]})
    with pytest.raises(ServerError, match="1 of 3 rows failed"):
        sync(rows(3))


# errors of the server


def test_a_record_that_makes_its_batch_fail_does_not_affect_others(served, sync):
    served.seed({"poison": ["W-77"]})
    result = sync(rows(150), fail_on="never")
    assert counts(result) == {"created": 149, "failed": 1}
    assert "SQLSTATE[22P02]" in result["failures"][0]["message"]
    assert len(products(served)) == 149


@pytest.mark.parametrize("dialect", ["2.3", "1.x-2.2"])
def test_a_record_that_overwrote_another_has_failed(served, sync, dialect):
    served.seed({"dialect": dialect})
    served.seed({"unique": {"Product": ["ean"]}, "records": {"Product": [{"number": "X", "ean": "1", "id": "x"}]}})
    result = sync([{"number": "A", "name": "a", "ean": "1"}, *rows(2)], fail_on="never")
    assert counts(result) == {"created": 2, "failed": 1}
    assert "AtroCore overwrote the record x instead" in result["failures"][0]["message"]


def test_without_upsert_a_used_unique_value_is_rejected(served, sync):
    records = {"Product": [{"sku": "X", "ean": "1"}]}
    served.seed({"dialect": "espo", "unique": {"Product": ["ean"]}, "records": records})
    given = [{"sku": "A", "name": "a", "ean": "1"}, {"sku": "B", "name": "b"}]
    result = sync(given, key_field="sku", fail_on="never")
    assert counts(result) == {"created": 1, "failed": 1}
    assert "must be unique" in result["failures"][0]["message"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop"},
        {"kind": "status", "status": 502},
        {"kind": "status", "status": 500, "body": "Allowed memory size exhausted"},
        {"kind": "status", "status": 413},
    ],
)
@pytest.mark.parametrize("size", [1, 5])
def test_a_batch_with_a_lost_response_takes_effect_once(served, sync, fault, size):
    served.fail(**fault, method="POST", path="/api/upsert")
    fails_before_the_work = fault["kind"] == "status" and size == 1
    result = sync(rows(size), fail_on="never")
    assert counts(result) == ({"failed": 1} if fails_before_the_work else {"created": size})
    assert counts(sync(rows(size))) == ({"created": 1} if fails_before_the_work else {"unchanged": size})
    assert len(products(served)) == size


def test_requests_are_repeated_while_the_server_is_unavailable(served, sync):
    served.fail("status", method="POST", path="/api/upsert", status=503, headers={"Retry-After": "0"})
    assert counts(sync(rows(3))) == {"created": 3}


def test_a_response_that_fails_the_servers_own_validation_is_no_failure(served, sync):
    served.seed({"faults": [{"kind": "response-validation"}]})
    assert counts(sync(rows(3))) == {"created": 3}
    served.seed({"faults": [{"kind": "response-validation"}]})
    assert counts(sync(rows(3, price=9))) == {"updated": 3}


def test_after_a_timeout_completed_changes_are_read_back(served, connect, sync):
    connect("atrocore_default", served.connection(extra={"read_timeout": 1}))
    served.fail("slow_after", method="POST", path="/api/upsert", seconds=1.5)
    assert counts(sync(rows(3))) == {"created": 3}


@pytest.mark.parametrize("fault", ["create-then-500", "response-validation"])
def test_one_by_one_a_create_that_seems_to_fail_is_read_back(served, sync, fault):
    served.seed({"dialect": "espo", "faults": [{"kind": fault}]})
    catalogue = [{"sku": f"W-{n}", "name": "Wheel"} for n in range(3)]
    assert counts(sync(catalogue, key_field="sku")) == {"created": 3}
    assert counts(sync(catalogue, key_field="sku")) == {"unchanged": 3}


def test_one_by_one_a_create_with_a_lost_response_is_read_back(served, sync):
    served.seed({"dialect": "espo"})
    served.fail("drop", method="POST", path="/api/v1/Product")
    assert counts(sync([{"sku": f"W-{n}", "name": "Wheel"} for n in range(3)], key_field="sku")) == {"created": 3}
    assert len(served.tables()["products"]) == 3


def test_a_session_that_expires_during_the_sync_is_renewed(served, sync):
    served.fail("status", method="POST", path="/api/upsert", status=401, body="Unauthorized")
    assert counts(sync(rows(3))) == {"created": 3}


def test_a_retry_continues_an_interrupted_sync(served, connect, sync):
    connect("atrocore_default", served.connection(extra={"retry_timeout": 0}))
    sync(rows(1))
    served.fail("status", method="POST", path="/api/upsert", status=503, times=1)
    with pytest.raises(UnavailableError):
        sync(rows(20), batch_size=10)
    assert counts(sync(rows(20), batch_size=10)) == {"created": 19, "unchanged": 1}


def test_the_sync_ends_if_all_changes_of_a_batch_fail(served, sync):
    served.fail("status", method="POST", path="/api/upsert", status=500, times=100)
    with pytest.raises(SelfHostedError):
        sync(rows(8), batch_size=4)


# arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": "catalogue.xlsx"}, "rows must be the path or URI of a .csv or .jsonl file, not 'catalogue.xlsx'"),
        ({"rows": "None"}, "rows must be the path or URI of a .csv or .jsonl file, not 'None'"),
        ({"rows": "['A']"}, "rows must be a list of objects"),
        ({"rows": {"number": "A"}}, "rows must be dictionaries, or the path or URI of a file, not one dict"),
        ({"rows": None}, "rows must be dictionaries, or the path or URI of a file, not one NoneType"),
        ({"entity": "../User"}, "entity must be the name of an entity, such as Product, not '../User'"),
        ({"key_field": ""}, "key_field must be the name of a field"),
        ({"batch_size": 0}, "batch_size must be a whole number, from 1 to 1000, not 0"),
        ({"batch_size": "many"}, "batch_size must be a whole number, from 1 to 1000, not 'many'"),
        ({"fail_on": "sometimes"}, "fail_on must be 'any', 'never' or a share from 0 to 1, not 'sometimes'"),
        ({"fail_on": 2}, "fail_on must be"),
        ({"dry_run": "perhaps"}, "dry_run must be true or false, not 'perhaps'"),
        ({"field_mapping": {"a": "name", "b": "name"}}, "field_mapping: more than one column is mapped to name"),
        ({"field_mapping": "columns"}, "field_mapping must be a dictionary, not str"),
        ({"report_uri": ""}, "report_uri must be the path or URI of a file, not ''"),
        ({"entity": "Prodct"}, "entity: the server has no 'Prodct'"),
    ],
)
def test_an_invalid_argument_is_named_and_fails_at_once(sync, arguments, message):
    others = {name: value for name, value in arguments.items() if name != "rows"}
    with pytest.raises(AirflowFailException, match=message):
        sync(arguments.get("rows", [{"number": "A"}]), **others)


def test_arguments_may_be_text_as_templates_render_them(served, sync):
    result = sync(
        "[{'Nummer': 'A', 'name': 'Wheel'}]",
        field_mapping='{"Nummer": "number"}',
        dry_run="yes",
        batch_size="10",
        fail_on="0.5",
    )
    assert result["dry_run"] is True
    assert result["plan"] == [{"key": "A", "result": "created", "values": {"number": "A", "name": "Wheel"}}]
    assert products(served) == {}


@pytest.mark.parametrize(("dry_run", "is_dry_run"), [("True", True), ("on", True), (0, False), ("no", False)])
def test_a_dry_run_is_any_form_of_a_boolean(sync, dry_run, is_dry_run):
    assert sync([], dry_run=dry_run)["dry_run"] is is_dry_run


def test_a_malformed_source_fails_the_task_before_anything_is_sent(served, sync, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows(5)) + "\nnonsense\n")
    with pytest.raises(AirflowFailException, match=r"line 6 of .* is not valid JSON"):
        sync(str(path))
    assert products(served) == {}


def test_a_missing_file_is_left_to_the_tasks_retries(sync, tmp_path):
    with pytest.raises(FileNotFoundError):
        sync(str(tmp_path / "none.csv"))


def test_the_link_is_published_before_the_rows_are_read(served, connect):
    connect("atrocore_default", served.connection())
    operator = AtrocoreSyncProductsOperator(task_id="sync", rows=[{"nothing": 1}])
    task_context = context(operator)
    with pytest.raises(AirflowFailException):
        operator.execute(task_context)
    assert task_context["ti"].xcoms == {"product_url": f"{served.base_url}/#Product"}
    assert isinstance(operator.operator_extra_links[0], AtrocoreLink)


def test_arguments_may_be_templates(served):
    operator = AtrocoreSyncProductsOperator(
        task_id="sync",
        rows="/data/{{ day }}.csv",
        key_field="{{ key }}",
        dry_run="{{ dry }}",
        fail_on="{{ share }}",
        atrocore_conn_id="atrocore_{{ key }}",
    )
    variables: Any = {"day": "1", "key": "sku", "dry": True, "share": 0.1}
    operator.render_template_fields(variables)
    assert operator.rows == "/data/1.csv"
    assert operator.conn_id == "atrocore_sku"
    operator.validate()
    assert parse_bool("dry_run", operator.plan_only) is True
    assert float(operator.fail_on) == pytest.approx(0.1)


def test_rows_are_not_rendered_as_templates(sync, served):
    sync([{"number": "A", "name": "{{ not a template }}"}])
    assert products(served)["A"]["name"] == "{{ not a template }}"


def test_the_report_is_logged_also_if_the_sync_fails(served, sync, connect, logged):
    connect("atrocore_default", served.connection(extra={"retry_timeout": 0}))
    sync(rows(1))
    served.fail("status", method="POST", path="/api/upsert", status=503)
    with pytest.raises(UnavailableError):
        sync(rows(3))
    assert 'Report: {"created": 0, "updated": 0, "unchanged": 1' in logged()
    assert "sandbox-password" not in logged()


def test_it_is_logged_that_fields_cannot_be_checked(served, sync, logged):
    served.seed({"dialect": "espo"})
    sync([{"sku": "A", "name": "a"}], key_field="sku")
    assert "it silently drops fields that it does not know" in logged()


def test_the_operator_can_be_mapped_and_serialized():
    from airflow.sdk import DAG
    from airflow.serialization import serialized_objects

    with DAG("catalogues", schedule=None) as dag:
        arguments = [{"rows": f"/data/{name}.csv", "dry_run": "{{ params.dry }}"} for name in "ab"]
        AtrocoreSyncProductsOperator.partial(task_id="sync", fail_on=0.1).expand_kwargs(arguments)
        AtrocoreSyncProductsOperator(task_id="one", rows=[{"number": "A"}])
    names = vars(serialized_objects)
    serializer = names.get("DagSerialization") or names["SerializedDAG"]  # Airflow 3.1
    stored = json.loads(json.dumps(serializer.to_dict(dag)))
    assert set(serializer.from_dict(stored).task_dict) == {"sync", "one"}
    unmapped: Any = dag.get_task("sync")
    operator = unmapped.unmap(arguments[0])
    assert (operator.rows, operator.plan_only, operator.fail_on) == ("/data/a.csv", "{{ params.dry }}", 0.1)
