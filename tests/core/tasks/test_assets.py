"""Objects in products as Airflow assets."""

from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from airflow.providers.common.compat import sdk
from airflow.providers.common.compat.openlineage import facet
from airflow.sdk.execution_time.context import OutletEventAccessors

from self_hosted.core.tasks.assets import asset_uri, emit_asset, emit_assets, to_openlineage, validate_asset_uri
from self_hosted.core.tasks.lineage import MAX_ASSETS, lineage_of
from tests.core.toy import ToyHook
from tests.lineage import collected

URI = "toy://toys.example.com/house/7"


@pytest.fixture
def hook(connect):
    return ToyHook(
        connect("toy_default", {"conn_type": "toy", "host": "https://toys.example.com:8443/shop", "password": "secret"})
    )


@pytest.fixture
def collector(monkeypatch):
    return collected(monkeypatch)


def make_context_with(*outlets):
    return {"task": SimpleNamespace(outlets=list(outlets)), "outlet_events": OutletEventAccessors()}


def test_the_uri_holds_server_path_type_and_id(hook):
    assert asset_uri(hook, "house", "a b") == "toy://toys.example.com:8443/shop/house/a%20b"


def test_an_asset_is_recorded_as_output_in_the_lineage(hook, collector):
    emit_asset(make_context_with(), hook, URI, {})
    assert [output.asset.uri for output in collector.collected_assets.outputs] == [URI]


def test_an_asset_alias_gets_an_event_of_the_asset(hook, collector):
    alias = sdk.AssetAlias("houses")
    context = make_context_with(alias)
    emit_asset(context, hook, URI, {"doors": 2})
    [event] = context["outlet_events"][alias].asset_alias_events
    assert event.dest_asset_key.uri == URI
    assert event.extra == {"doors": 2}


def test_an_asset_gets_uri_and_details_in_its_event(hook, collector):
    asset = sdk.Asset("toy://toys.example.com/houses")
    context = make_context_with(asset)
    emit_asset(context, hook, URI, {"doors": 2})
    assert context["outlet_events"][asset].extra == {"uri": URI, "doors": 2}


def test_an_outlet_of_another_type_gets_no_event(hook, collector):
    context = make_context_with(sdk.Asset.ref(name="houses"))
    emit_asset(context, hook, URI, {"doors": 2})
    assert len(context["outlet_events"]) == 0
    assert [output.asset.uri for output in collector.collected_assets.outputs] == [URI]


@pytest.mark.parametrize("uri", ["assemblyline:///submission/a", "assemblyline://host", "assemblyline://host/"])
def test_a_uri_without_server_or_path_is_rejected(uri):
    with pytest.raises(ValueError, match="assemblyline://<host>/<type>/<id>"):
        validate_asset_uri(urlsplit(uri))


def test_a_complete_uri_is_returned_unchanged():
    assert validate_asset_uri(urlsplit(URI)) == urlsplit(URI)


def test_the_openlineage_namespace_is_the_server(monkeypatch):
    monkeypatch.setattr(facet, "Dataset", SimpleNamespace, raising=False)  # the library is optional
    dataset = to_openlineage(sdk.Asset(URI), None)
    assert (dataset.namespace, dataset.name) == ("toy://toys.example.com", "house/7")


def test_an_id_may_have_any_characters(hook):
    assert asset_uri(hook, "house", "a/../b") == "toy://toys.example.com:8443/shop/house/a%2F..%2Fb"


def test_an_emitted_asset_is_what_the_task_is_about(hook):
    emit_asset(make_context_with(), hook, URI, {}, rows=3)
    assert (lineage_of(hook).subject, lineage_of(hook).outputs) == (URI, {URI: 3})


def make_assets(count):
    return {f"toy://toys.example.com/house/{number}": {"doors": number} for number in range(count)}


@pytest.mark.parametrize("count", [0, 2, MAX_ASSETS])
def test_each_of_many_objects_is_an_output(hook, collector, count):
    emit_assets(make_context_with(), hook, make_assets(count), "toy://toys.example.com/house", {})
    assert {output.asset.uri for output in collector.collected_assets.outputs} == set(make_assets(count))


def test_what_they_are_part_of_takes_the_place_of_more_objects_than_airflow_collects(hook, collector):
    alias = sdk.AssetAlias("houses")
    context = make_context_with(alias)
    emit_assets(context, hook, make_assets(MAX_ASSETS + 1), "toy://toys.example.com/house", {})
    assert [output.asset.uri for output in collector.collected_assets.outputs] == ["toy://toys.example.com/house"]
    assert len(context["outlet_events"][alias].asset_alias_events) == MAX_ASSETS + 1


def test_an_asset_gets_the_summary_of_many_objects_in_its_event(hook):
    asset = sdk.Asset("toy://toys.example.com/houses")
    context = make_context_with(asset)
    emit_assets(context, hook, make_assets(2), "toy://toys.example.com/house", {"total": 2})
    assert context["outlet_events"][asset].extra == {"uri": "toy://toys.example.com/house", "total": 2}
