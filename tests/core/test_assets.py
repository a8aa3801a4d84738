"""What tasks make in products, as Airflow's assets."""

from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from airflow.providers.common.compat import sdk
from airflow.providers.common.compat.openlineage import facet
from airflow.sdk.execution_time.context import OutletEventAccessors

from self_hosted.core.assets import announce, as_openlineage, asset_uri, sanitized
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


def context(*outlets):
    return {"task": SimpleNamespace(outlets=list(outlets)), "outlet_events": OutletEventAccessors()}


def test_the_uri_names_server_path_kind_and_id(hook):
    assert asset_uri(hook, "house", "a/b") == "toy://toys.example.com:8443/shop/house/a%2Fb"


def test_lineage_is_told(hook, collector):
    announce(context(), hook, URI, {})
    assert [one.asset.uri for one in collector.collected_assets.outputs] == [URI]


def test_an_alias_gets_an_event_of_this_very_asset(hook, collector):
    alias = sdk.AssetAlias("houses")
    given = context(alias)
    announce(given, hook, URI, {"doors": 2})
    [event] = given["outlet_events"][alias].asset_alias_events
    assert event.dest_asset_key.uri == URI
    assert event.extra == {"doors": 2}


def test_an_asset_gets_the_facts_into_its_event(hook, collector):
    asset = sdk.Asset("toy://toys.example.com/houses")
    given = context(asset)
    announce(given, hook, URI, {"doors": 2})
    assert given["outlet_events"][asset].extra == {"uri": URI, "doors": 2}


@pytest.mark.parametrize("uri", ["assemblyline:///submission/a", "assemblyline://host", "assemblyline://host/"])
def test_a_uri_without_server_or_thing_is_refused(uri):
    with pytest.raises(ValueError, match="assemblyline://<host of the server>/<kind>/<id>"):
        sanitized(urlsplit(uri))


def test_a_whole_uri_is_left_as_it_is():
    assert sanitized(urlsplit(URI)) == urlsplit(URI)


def test_openlineage_has_the_server_as_the_namespace(monkeypatch):
    monkeypatch.setattr(facet, "Dataset", SimpleNamespace, raising=False)  # its library need not be installed
    found = as_openlineage(sdk.Asset(URI), None)
    assert (found.namespace, found.name) == ("toy://toys.example.com", "house/7")
