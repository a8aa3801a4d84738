"""The three dialects of the fake AtroCore server."""

from __future__ import annotations

import json
import socket
from base64 import b64decode
from urllib.parse import urlsplit

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


def test_head_and_options(client):
    record_id = client.create().json()["id"]
    is_new = client.dialect == "2.3"
    assert client.call("HEAD", f"/Product/{record_id}").status_code == (404 if is_new else 200)
    options = client.call("OPTIONS", f"/Product/{record_id}")
    assert (options.status_code, options.text, options.headers["Content-Type"].partition(";")[0]) == (
        200,
        "",
        "text/html",
    )


def test_unknown_routes_need_a_user_before_2_3(client):
    client.headers = {}
    for path in ("/Nothing", "/No/Such/Route/At/All"):
        response = client.call("GET", path)
        is_old = client.dialect != "2.3"
        assert response.status_code == (401 if is_old else 404), path
        assert response.headers.get("WWW-Authenticate") == ('Basic realm=""' if is_old else None)


def test_before_2_3_an_unknown_action_is_named(served):
    client = client_of_core(served, "1.10.30")
    response = client.call("GET", "/App/action/nothing")
    reason = "Action 'nothing' (GET) does not exist in controller 'App'"
    assert (response.status_code, response.text, response.headers["X-Status-Reason"]) == (404, reason, reason)
    assert client.call("GET", "/").text == "REST API"


def test_a_logout_makes_one_token_invalid(client):
    other = Client(client.served, client.dialect).log_in()
    token = next(iter(client.headers.values()))
    raw = b64decode(token).decode().partition(":")[2]
    path = "/destroyAuthToken" if client.dialect == "2.3" else "/App/action/destroyAuthToken"
    assert client.call("POST", path, {}).status_code == 400
    assert client.call("POST", path, {"token": raw}).json() is True
    assert client.call("GET", "/Product", headers={"Espo-Authorization-By-Token": "true"}).status_code == 401
    assert other.call("GET", "/Product").status_code == 200


def test_a_response_without_status_has_reason_and_text(served):
    client = client_of_core(served, "1.10.30")
    address = urlsplit(served.base_url)
    body = json.dumps({"name": "x" * 256, "sku": "W"})
    head = [
        "POST /atrocore/api/v1/Product HTTP/1.1",
        f"Host: {address.netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Authorization-Token: {client.headers['Authorization-Token']}",
    ]
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(("\r\n".join(head) + "\r\n\r\n" + body).encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    headers, _, text = received.decode().partition("\r\n\r\n")
    assert headers.splitlines()[0] == "HTTP/1.1"
    assert "x-status-reason: An exception occurred while executing a query" in headers
    assert "SQLSTATE[22001]" in text
