"""The arguments of the sync operators, and their link."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.atrocore.operators import (
    AtrocoreLink,
    AtrocoreSyncProductsApplyOperator,
    AtrocoreSyncProductsOperator,
    AtrocoreSyncProductsPlanOperator,
)
from self_hosted.core.sync.fields import Number, Text
from tests.atrocore.conftest import counts, products, rows
from tests.context import context

BRANDS = [{"type": "equals", "attribute": "brandId", "value": "b1"}]
DELETING = {"mode": "mirror", "on_missing": "delete"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "catalogue.doc"}, "source must be a file whose name ends with .csv.*not 'catalogue.doc'"),
        ({"source": "None"}, "source"),
        ({"source": {"number": "A"}}, "source must be rows, or the path or URI of a file"),
        ({"source": None}, "give exactly one of source, sql, not none"),
        ({"sql": "SELECT 1"}, "give exactly one of source, sql, not source, sql"),
        ({"source": None, "sql": "SELECT 1"}, "sql_conn_id must name the connection of sql"),
        ({"delimiter": ";"}, "delimiter is for files of the format csv.* not for a list of rows"),
        ({"entity": "../User"}, "entity must be the name of an entity, such as Product, not '../User'"),
        ({"key_field": ""}, "key_field must be the name of a field"),
        ({"key_field": "a,b"}, "key_field must be the name of a field"),
        ({"batch_size": 0}, "batch_size must be a whole number, from 1 to 1000, not 0"),
        ({"batch_size": "many"}, "batch_size must be a whole number, from 1 to 1000, not 'many'"),
        ({"fail_on": "sometimes"}, "fail_on must be 'any', 'never' or a share from 0 to 1, not 'sometimes'"),
        ({"fail_on": 2}, "fail_on must be"),
        ({"dry_run": "perhaps"}, "dry_run must be true or false, not 'perhaps'"),
        ({"fields": {"a": "name", "b": "name"}}, "fields: more than one declaration writes into name"),
        ({"fields": "columns"}, "fields must be"),
        ({"own": "mine"}, "own must be"),
        ({"empty": "full"}, "empty must be"),
        ({"mode": "merge"}, "mode must be"),
        (
            {"on_missing": "delete"},
            "on_missing must be .*'ignore' with any other mode, not 'delete' with mode='upsert'",
        ),
        ({"mode": "mirror"}, "on_missing must be 'deactivate' or 'delete' with mode='mirror'"),
        ({**DELETING, "confirm": True}, "on_missing='delete' needs a filter of the records"),
        ({**DELETING, "scope": BRANDS}, "confirm must be true: records that the source lacks are deleted"),
        (
            {"scope": [{"type": "equals", "attribute": "brandId", "value": None}]},
            "scope: the value of 'equals' is None",
        ),
        ({"scope": "ACME"}, "scope"),
        ({"scope": {"brandId": "b1"}}, "scope"),
        ({"on_deleted": "mourn"}, "on_deleted must be"),
        ({"on_duplicate_key": "both"}, "on_duplicate_key must be"),
        ({"max_missing": -1}, "max_missing must be"),
        ({"max_changed_ratio": 2}, "max_changed_ratio must be"),
        ({"on_conflict": "fight"}, "on_conflict must be"),
        ({"verify": "nothing"}, "verify must be"),
        ({"report_uri": "folder/"}, "report_uri must be the path or URI of a file, not 'folder/'"),
        ({"rejects_uri": "rejects.xlsx"}, "rejects_uri must"),
        ({"plan_uri": "folder/"}, "plan_uri must be the path or URI of a file, not 'folder/'"),
        ({"entity": "Prodct"}, "entity: the server has no 'Prodct'; similar entities are .*Product"),
        ({"key_field": "nomber"}, "'nomber'"),
    ],
)
def test_an_invalid_argument_is_named_and_fails_at_once(served, sync, arguments, message):
    others = {name: value for name, value in arguments.items() if name != "source"}
    with pytest.raises(AirflowFailException, match=message):
        sync(arguments.get("source", [{"number": "A", "nomber": "A"}]), **others)
    assert products(served) == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"plan_uri": "folder/"}, "plan_uri must be the path or URI of a file, not 'folder/'"),
        ({"plan_uri": None}, "plan_uri must"),
        ({"plan_uri": "plan.jsonl", "entity": "product"}, "entity must be the name of an entity"),
        ({"plan_uri": "plan.jsonl", "batch_size": "many"}, "batch_size must"),
    ],
)
def test_an_invalid_argument_of_an_apply_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        AtrocoreSyncProductsApplyOperator(task_id="apply", **arguments).validate()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"plan_uri": "folder/"}, "plan_uri must be the path or URI of a file, not 'folder/'"),
        ({"plan_uri": "plan.jsonl", "shards": 0}, "shards must be a whole number, from 1 to 1000, not 0"),
    ],
)
def test_an_invalid_argument_of_a_plan_is_named(served, connect, arguments, message):
    connect("atrocore_default", served.connection())
    operator = AtrocoreSyncProductsPlanOperator(task_id="plan", source=rows(1), **arguments)
    with pytest.raises(AirflowFailException, match=message):
        operator.execute(context(operator))


def test_arguments_may_be_text_as_templates_render_them(served, sync):
    result = sync(
        "[{'Nummer': 'A', 'name': 'Wheel', 'Preis': '1,5'}]",
        fields='[{"field": "number", "column": "Nummer"}, "name", {"field": "price", "column": "Preis"}]',
        decimal=",",
        scope="[{'type': 'isNotNull', 'attribute': 'number'}]",
        dry_run="yes",
        batch_size="10",
        fail_on="0.5",
        max_missing="",
        max_emptied="0",
        min_rows="1",
        mode="mirror",
        on_missing="delete",
        confirm="True",
    )
    assert result["dry_run"] is True
    assert counts(result) == {"create": 1}
    assert result["changes"][0]["fields"] == {"name": [None, "Wheel"], "price": [None, 1.5]}
    assert products(served) == {}


def test_declarations_say_how_columns_are_read(served, sync):
    row = {"number": "A", "Titel": "Rad", "Preis": "1.234,50", "status": "draft"}
    fields = [Text("name", column="Titel"), Number("price", column="Preis", decimal=","), "status"]
    assert counts(sync([row], fields=fields)) == {"created": 1}
    assert products(served)["A"]["price"] == pytest.approx(1234.5)


def test_the_column_of_the_key_may_have_another_name(served, sync):
    row = {"Nummer": "A", "name": "Rad", "status": "draft"}
    assert counts(sync([row], key_field={"Nummer": "number"})) == {"created": 1}
    assert list(products(served)) == ["A"]


@pytest.mark.parametrize(("dry_run", "is_dry_run"), [("True", True), ("on", True), (0, False), ("no", False)])
def test_a_dry_run_is_any_form_of_a_boolean(sync, dry_run, is_dry_run):
    assert sync([], dry_run=dry_run, min_rows=0)["dry_run"] is is_dry_run


def test_a_malformed_source_fails_the_task_before_anything_is_sent(served, sync, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows(5)) + "\nnonsense\n")
    with pytest.raises(AirflowFailException, match="line 6 of"):
        sync(str(path))
    assert products(served) == {}


def test_a_missing_file_is_left_to_the_tasks_retries(sync, tmp_path):
    with pytest.raises(FileNotFoundError):
        sync(str(tmp_path / "none.csv"))


@pytest.mark.parametrize("form", [str, Path, Path.as_uri])
def test_files_may_be_paths_or_uris(sync, tmp_path, form):
    source, report = tmp_path / "products of today.jsonl", tmp_path / "new folder" / "report.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in rows(2)))
    assert sync(form(source), report_uri=form(report))["created"] == 2
    assert len(report.read_text().splitlines()) == 2


@pytest.mark.parametrize("missing", [None, "", "None"])
def test_optional_arguments_may_be_missing(sync, missing):
    names = ("report_uri", "rejects_uri", "plan_uri", "fields", "scope", "sheet", "encoding", "date_format")
    limits = ("max_missing_ratio", "max_changed_ratio", "max_emptied")
    assert sync(rows(1), **dict.fromkeys([*names, *limits], missing))["created"] == 1


def test_a_column_may_be_left_out_by_a_template(sync):
    fields = {"number": "number", "name": "name", "price": ""}
    assert sync([{"number": "A", "name": "a", "price": "x"}], fields=fields)["created"] == 1


def test_rows_are_not_rendered_as_templates(sync, served):
    sync([{"number": "A", "name": "{{ not a template }}"}])
    assert products(served)["A"]["name"] == "{{ not a template }}"


def test_arguments_may_be_templates(served, connect):
    connect("atrocore_number", served.connection())
    operator = AtrocoreSyncProductsOperator(
        task_id="sync",
        source="/data/{{ day }}.csv",
        key_field="{{ key }}",
        fields={"Artikel": "{{ key }}", "Preis": Number("price", decimal="{{ mark }}")},
        dry_run="{{ dry }}",
        fail_on="{{ share }}",
        atrocore_conn_id="atrocore_{{ key }}",
    )
    variables: Any = {"day": "1", "key": "number", "dry": True, "share": 0.1, "mark": ","}
    operator.render_template_fields(variables)
    assert operator.source == "/data/1.csv"
    assert operator.conn_id == "atrocore_number"
    operator.validate()
    assert operator.is_dry_run is True
    assert [(spec.column, spec.field, spec.decimal) for spec in operator.plan_request.fields or ()] == [
        ("Artikel", "number", ""),
        ("Preis", "price", ","),
    ]
    assert operator.outputs.max_failed_share == pytest.approx(0.1)


# link


def test_the_link_is_published_before_the_rows_are_read(served, connect):
    connect("atrocore_default", served.connection())
    operator = AtrocoreSyncProductsOperator(task_id="sync", source=[{"nothing": 1}])
    task_context = context(operator)
    with pytest.raises(AirflowFailException):
        operator.execute(task_context)
    assert task_context["ti"].xcoms == {"product_url": f"{served.base_url}/#Product"}
    assert isinstance(operator.operator_extra_links[0], AtrocoreLink)


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [(AtrocoreSyncProductsPlanOperator, {"source": []}), (AtrocoreSyncProductsApplyOperator, {})],
)
def test_plan_and_apply_have_the_same_link(served, connect, tmp_path, operator, arguments):
    connect("atrocore_default", served.connection())
    task = operator(task_id="task", plan_uri=tmp_path / "plan.jsonl", **arguments)
    task_context = context(task)
    with pytest.raises((AirflowFailException, FileNotFoundError)):
        task.execute(task_context)
    assert task_context["ti"].xcoms == {"product_url": f"{served.base_url}/#Product"}


def test_the_operators_can_be_mapped_and_serialized():
    from airflow.sdk import DAG, task
    from airflow.serialization import serialized_objects

    with DAG("catalogues", schedule=None) as dag:
        arguments = [{"source": f"/data/{name}.csv", "dry_run": "{{ params.dry }}"} for name in "ab"]
        AtrocoreSyncProductsOperator.partial(task_id="sync", fail_on=0.1).expand_kwargs(arguments)
        fields = {"Preis": Number("price", decimal=",")}
        AtrocoreSyncProductsOperator(task_id="one", source=[{"number": "A"}], fields=fields)
        plan: Any = AtrocoreSyncProductsPlanOperator(task_id="plan", source="/a.csv", plan_uri="/plan.jsonl", shards=4)

        @task
        def get_shards(shards: Any) -> Any:
            return shards  # Airflow maps tasks over whole results only

        AtrocoreSyncProductsApplyOperator.partial(task_id="apply").expand_kwargs(get_shards(plan.output["shards"]))
    names = vars(serialized_objects)
    serializer = names.get("DagSerialization") or names["SerializedDAG"]  # Airflow 3.1
    stored = json.loads(json.dumps(serializer.to_dict(dag)))
    assert set(serializer.from_dict(stored).task_dict) == {"sync", "one", "plan", "get_shards", "apply"}
    unmapped: Any = dag.get_task("sync")
    operator = unmapped.unmap(arguments[0])
    assert (operator.source, operator.plan_only, operator.fail_on) == ("/data/a.csv", "{{ params.dry }}", 0.1)
