"""The three dialects of AtroCore that the stand-in speaks, asked for with nothing but requests."""

from __future__ import annotations

import pytest
import requests

from tests.sandbox.atrocore.asking import Client, of_core


@pytest.mark.parametrize(("dialect", "url"), [("2.3", "/api"), ("1.x-2.2", "/api/v1")])
def test_the_description_is_open_and_names_the_base_path(served, dialect, url):
    served.seed({"dialect": dialect})
    document = requests.get(f"{served.base_url}/openapi.json", timeout=10).json()
    assert document["servers"] == [{"url": url}]
    assert "Product" in document["components"]["schemas"]
    assert ("ProductPost" in document["components"]["schemas"]) == (dialect == "2.3")


def test_espo_has_no_description_and_no_upsert(served):
    served.seed({"dialect": "espo"})
    assert requests.get(f"{served.base_url}/openapi.json", timeout=10).status_code == 404
    client = Client(served, "espo").sign_in()
    assert client.ask("POST", "/MassActions/action/upsert", []).status_code == 404


def test_routes_of_other_dialects_are_unknown_before_anybody_signs_in(served):
    url = served.base_url
    assert requests.get(f"{url}/api/v1/Product", timeout=10).status_code == 404
    assert requests.get(f"{url}/api/userSession", timeout=10).status_code == 401
    served.seed({"dialect": "1.x-2.2"})
    assert requests.get(f"{url}/api/v1/Product", timeout=10).status_code == 401
    assert requests.get(f"{url}/api/userSession", timeout=10).status_code == 404


def test_put_is_gone_since_2_3(client):
    record_id = client.create().json()["id"]
    expected = 404 if client.dialect == "2.3" else 200
    assert client.ask("PUT", f"/Product/{record_id}", {"name": "Tyre"}).status_code == expected
    assert client.ask("PATCH", f"/Product/{record_id}", {"name": "Rim"}).status_code == 200


def test_the_upsert_came_with_1_4_114(served):
    path = "/MassActions/action/upsert"
    assert of_core(served, "1.4.113").ask("POST", path, []).status_code == 404
    assert of_core(served, "1.4.114").ask("POST", path, []).status_code == 200


def test_products_are_known_by_sku_before_2_0_28(served):
    assert of_core(served, "2.0.27").ask("POST", "/Product", {"name": "a", "sku": "W"}).json()["sku"] == "W"
    assert "sku" not in of_core(served, "2.0.28").ask("POST", "/Product", {"name": "a", "sku": "W"}).json()
