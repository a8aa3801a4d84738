"""What Airflow reads about the provider is what there is."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import airflow
import jsonschema  # type: ignore[import-untyped]
import pytest
from airflow.providers.common.compat.sdk import Asset, BaseOperatorLink
from airflow.triggers.base import BaseTrigger

from self_hosted.core.hook import ProductHook
from self_hosted.core.operator import ProductOperator
from self_hosted.core.question import imported
from self_hosted.core.sensor import ProductSensor
from self_hosted.provider_info import FORMS, get_provider_info
from tests.meta.code import PRODUCTS, classes

INFO = get_provider_info()
SCHEMAS = Path(airflow.__file__).parent
LINKS = [(product, link) for product in PRODUCTS for link in classes(product, "operators", BaseOperatorLink)]


def test_airflow_finds_it_by_its_entry_point():
    [found] = [one for one in entry_points(group="apache_airflow_provider") if one.value.startswith("self_hosted.")]
    assert found.name == "provider_info"
    assert found.load()() == INFO


def test_it_is_of_the_form_that_airflow_checks():
    jsonschema.validate(INFO, json.loads((SCHEMAS / "provider_info.schema.json").read_text()))


def test_the_forms_are_of_the_form_that_airflow_checks():
    schema = json.loads((SCHEMAS / "provider.yaml.schema.json").read_text())["properties"]["connection-types"]
    if "conn-fields" not in json.dumps(schema):
        pytest.skip("this Airflow knows no declared forms yet")
    jsonschema.validate(INFO["connection-types"], schema)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.conn_type)
def test_the_default_of_a_field_is_one_of_its_own_values(form):
    for name, field in form.fields.items():
        schema = field["schema"]
        jsonschema.validate(schema.get("default"), {key: schema[key] for key in schema if key != "section"}), name


def test_it_is_plain_data():
    assert json.loads(json.dumps(INFO)) == INFO


@pytest.mark.parametrize("kind", ["hooks", "operators", "sensors", "triggers"])
def test_every_named_module_exists_and_every_product_has_one(kind):
    named = [module for entry in INFO[kind] for module in entry["python-modules"]]
    assert {name.split(".")[1] for name in named} == set(PRODUCTS)
    assert [name for name in named if find_spec(name) is None or import_module(name) is None] == []


def test_every_named_integration_is_described():
    described = {integration["integration-name"] for integration in INFO["integrations"]}
    used = {entry["integration-name"] for kind in ("hooks", "operators", "sensors", "triggers") for entry in INFO[kind]}
    assert used == described


@pytest.mark.parametrize("entry", INFO["connection-types"], ids=lambda entry: entry["connection-type"])
def test_every_connection_type_leads_to_its_hook(entry):
    hook_class = imported(entry["hook-class-name"])
    assert issubclass(hook_class, ProductHook)
    assert hook_class.conn_type == entry["connection-type"]
    assert hook_class.hook_name == entry["hook-name"]
    assert hook_class(**{hook_class.conn_name_attr: "mine"}).conn_id == "mine"
    assert hook_class().conn_id == hook_class.default_conn_name


def test_every_link_is_named_and_every_named_link_is_one():
    assert {f"self_hosted.{product}.operators.{link.__name__}" for product, link in LINKS} == set(INFO["extra-links"])
    assert all(issubclass(imported(path), BaseOperatorLink) for path in INFO["extra-links"])


@pytest.mark.parametrize(("module", "base"), [("operators", ProductOperator), ("sensors", ProductSensor)])
def test_every_operator_and_sensor_is_named_after_its_product(module, base):
    for product in PRODUCTS:
        for one in classes(product, module, base):
            assert one.__name__.startswith(product.capitalize()), one
            assert one.__name__.endswith(module.removesuffix("s").capitalize()), one


def test_every_trigger_is_in_a_module_that_airflow_is_told():
    for product in PRODUCTS:
        for trigger in classes(product, "triggers", BaseTrigger):
            assert trigger.__module__ == f"self_hosted.{product}.triggers"


@pytest.mark.parametrize("entry", INFO["asset-uris"], ids=lambda entry: entry["schemes"][0])
def test_what_airflow_calls_for_assets_exists(entry):
    assert set(entry["schemes"]) <= set(PRODUCTS)
    assert callable(imported(entry["handler"]))
    assert callable(imported(entry["to_openlineage_converter"]))


def test_airflow_refuses_an_asset_that_names_no_server():
    with pytest.raises(ValueError, match="assemblyline://<host of the server>"):
        Asset("assemblyline:///submission/a")
