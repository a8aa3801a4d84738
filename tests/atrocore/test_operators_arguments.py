"""The arguments of the sync operator, its link and its log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.atrocore.operators import AtrocoreLink, AtrocoreSyncProductsOperator
from self_hosted.core.arguments import parse_bool
from self_hosted.core.http.errors import UnavailableError
from tests.atrocore.conftest import products, rows
from tests.context import context

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
        ({"report_uri": "folder/"}, "report_uri must be the path or URI of a file, not 'folder/'"),
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


@pytest.mark.parametrize("form", [str, Path, Path.as_uri])
def test_files_may_be_paths_or_uris(sync, tmp_path, form):
    source, report = tmp_path / "products of today.jsonl", tmp_path / "new folder" / "report.json"
    source.write_text("\n".join(json.dumps(row) for row in rows(2)))
    assert sync(form(source), report_uri=form(report))["created"] == 2
    assert json.loads(report.read_text())["total"] == 2


@pytest.mark.parametrize("missing", [None, "", "None"])
def test_optional_arguments_may_be_missing(sync, missing):
    assert sync(rows(1), report_uri=missing, field_mapping=missing)["created"] == 1


def test_a_column_may_be_left_out_by_a_template(sync):
    assert sync([{"number": "A", "name": "a", "price": 1}], field_mapping={"price": "None"})["created"] == 1


def test_rows_are_not_rendered_as_templates(sync, served):
    sync([{"number": "A", "name": "{{ not a template }}"}])
    assert products(served)["A"]["name"] == "{{ not a template }}"


def test_the_counts_are_logged_also_if_the_sync_fails(served, sync, connect, logged):
    connect("atrocore_default", served.connection(extra={"retry_timeout": 0}))
    sync(rows(1))
    served.fail("status", method="POST", path="/api/upsert", status=503)
    with pytest.raises(UnavailableError):
        sync(rows(3))
    assert "Product: 1 of 3 rows are done: 1 unchanged" in logged()
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
