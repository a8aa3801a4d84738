"""The three dialects of the fake AtroCore server."""

from __future__ import annotations

import pytest
import requests

from tests.sandbox.atrocore.client import Client, client_of_core


@pytest.mark.parametrize(("dialect", "url"), [("2.3", "/api"), ("1.x-2.2", "/api/v1")])
def test_the_openapi_document_is_public_and_contains_the_base_path(served, dialect, url):
    served.seed({"dialect": dialect})
    document = requests.get(f"{served.base_url}/openapi.json", timeout=60).json()
    assert document["servers"] == [{"url": url}]
    assert "Product" in document["components"]["schemas"]
    assert ("ProductPost" in document["components"]["schemas"]) == (dialect == "2.3")


def test_espo_has_neither_openapi_document_nor_upsert(served):
    served.seed({"dialect": "espo"})
    assert requests.get(f"{served.base_url}/openapi.json", timeout=60).status_code == 404
    client = Client(served, "espo").log_in()
    assert client.call("POST", "/MassActions/action/upsert", []).status_code == 404


def test_routes_of_other_dialects_are_unknown_even_without_authentication(served):
    url = served.base_url
    assert requests.get(f"{url}/api/v1/Product", timeout=60).status_code == 404
    assert requests.get(f"{url}/api/userSession", timeout=60).status_code == 401
    served.seed({"dialect": "1.x-2.2"})
    assert requests.get(f"{url}/api/v1/Product", timeout=60).status_code == 401
    assert requests.get(f"{url}/api/userSession", timeout=60).status_code == 404


def test_put_is_unknown_since_2_3(client):
    record_id = client.create().json()["id"]
    expected = 404 if client.dialect == "2.3" else 200
    assert client.call("PUT", f"/Product/{record_id}", {"name": "Tyre"}).status_code == expected
    assert client.call("PATCH", f"/Product/{record_id}", {"name": "Rim"}).status_code == 200


def test_upsert_exists_since_1_4_114(served):
    path = "/MassActions/action/upsert"
    assert client_of_core(served, "1.4.113").call("POST", path, []).status_code == 404
    assert client_of_core(served, "1.4.114").call("POST", path, []).status_code == 200


def test_the_key_of_products_is_sku_before_2_0_28(served):
    assert client_of_core(served, "2.0.27").call("POST", "/Product", {"name": "a", "sku": "W"}).json()["sku"] == "W"
    assert "sku" not in client_of_core(served, "2.0.28").call("POST", "/Product", {"name": "a", "sku": "W"}).json()
