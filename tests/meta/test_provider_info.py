"""The provider info that Airflow reads: valid, and in agreement with the code."""

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

from self_hosted.core.connection.hook import SelfHostedHook
from self_hosted.core.imports import import_string
from self_hosted.core.tasks.operator import SelfHostedOperator
from self_hosted.core.tasks.sensor import SelfHostedSensor
from self_hosted.provider_info import FORMS, get_provider_info
from tests.meta.source import PRODUCTS, assert_none, find_classes

INFO = get_provider_info()
SCHEMAS = Path(airflow.__file__).parent
LINKS = [(product, link) for product in PRODUCTS for link in find_classes(product, "operators", BaseOperatorLink)]


def test_airflow_finds_the_provider_by_its_entry_point():
    points = entry_points(group="apache_airflow_provider")
    [found] = [point for point in points if point.value.startswith("self_hosted.")]
    assert found.name == "provider_info"
    assert found.load()() == INFO


def test_the_provider_info_matches_the_schema_of_airflow():
    jsonschema.validate(INFO, json.loads((SCHEMAS / "provider_info.schema.json").read_text()))


def test_the_connection_types_match_the_schema_of_airflow():
    schema = json.loads((SCHEMAS / "provider.yaml.schema.json").read_text())["properties"]["connection-types"]
    if "conn-fields" not in json.dumps(schema):
        pytest.skip("this Airflow has no declared forms yet")
    jsonschema.validate(INFO["connection-types"], schema)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.conn_type)
def test_the_default_of_a_field_is_valid(form):
    for name, field in form.fields.items():
        schema = field["schema"]
        jsonschema.validate(schema.get("default"), {key: schema[key] for key in schema if key != "section"}), name


def test_the_provider_info_is_plain_data():
    assert json.loads(json.dumps(INFO)) == INFO


@pytest.mark.parametrize("kind", ["hooks", "operators", "sensors", "triggers"])
def test_every_product_names_existing_modules(kind):
    named = [module for entry in INFO[kind] for module in entry["python-modules"]]
    assert {name.split(".")[1] for name in named} == set(PRODUCTS)
    assert [name for name in named if find_spec(name) is None or import_module(name) is None] == []


def test_every_named_integration_is_described():
    described = {integration["integration-name"] for integration in INFO["integrations"]}
    used = {entry["integration-name"] for kind in ("hooks", "operators", "sensors", "triggers") for entry in INFO[kind]}
    assert used == described


@pytest.mark.parametrize("entry", INFO["connection-types"], ids=lambda entry: entry["connection-type"])
def test_every_connection_type_has_its_hook(entry):
    hook_class = import_string(entry["hook-class-name"])
    assert issubclass(hook_class, SelfHostedHook)
    assert hook_class.conn_type == entry["connection-type"]
    assert hook_class.hook_name == entry["hook-name"]
    assert hook_class(**{hook_class.conn_name_attr: "mine"}).conn_id == "mine"
    assert hook_class().conn_id == hook_class.default_conn_name


def test_every_link_class_is_named():
    assert {f"self_hosted.{product}.operators.{link.__name__}" for product, link in LINKS} == set(INFO["extra-links"])
    assert all(issubclass(import_string(path), BaseOperatorLink) for path in INFO["extra-links"])


def test_operators_and_sensors_have_the_name_of_their_product_and_kind():
    for module, base in (("operators", SelfHostedOperator), ("sensors", SelfHostedSensor)):
        names = [(product, found.__name__) for product in PRODUCTS for found in find_classes(product, module, base)]
        kind = module.removesuffix("s").capitalize()
        assert_none(
            name for product, name in names if not (name.startswith(product.capitalize()) and name.endswith(kind))
        )


@pytest.mark.parametrize("entry", INFO["asset-uris"], ids=lambda entry: entry["schemes"][0])
def test_the_functions_for_assets_exist(entry):
    assert set(entry["schemes"]) <= set(PRODUCTS)
    assert callable(import_string(entry["handler"]))
    assert callable(import_string(entry["to_openlineage_converter"]))


def test_an_asset_without_server_is_rejected():
    with pytest.raises(ValueError, match="assemblyline://<host>"):
        Asset("assemblyline:///submission/a")
