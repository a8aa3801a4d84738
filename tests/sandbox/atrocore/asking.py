"""What the tests of this stand-in ask, and how."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import requests

from tests.conftest import Served

USER, PASSWORD = "airflow", "sandbox-password"


def encoded(user, secret):
    return b64encode(f"{user}:{secret}".encode()).decode()


class Client:
    """AtroCore as a client sees it, signed in."""

    def __init__(self, served: Served, dialect: str) -> None:
        self.served, self.dialect = served, dialect
        self.api = f"{served.base_url}/{'api' if dialect == '2.3' else 'api/v1'}"
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, body: Any = None, **arguments: Any) -> requests.Response:
        headers = {**self.headers, **arguments.pop("headers", {})}
        return requests.request(method, f"{self.api}{path}", json=body, headers=headers, timeout=10, **arguments)

    def login(self, password: str = PASSWORD, **headers: str) -> requests.Response:
        name, prefix = ("Espo-Authorization", "") if self.dialect == "espo" else ("Authorization", "Basic ")
        credential = {name: f"{prefix}{encoded(USER, password)}", **headers}
        path = "/userSession" if self.dialect == "2.3" else "/App/user"
        return requests.get(f"{self.api}{path}", headers=credential, timeout=10)

    def sign_in(self) -> Client:
        token = self.login().json()["token"]
        header = "Espo-Authorization" if self.dialect == "espo" else "Authorization-Token"
        self.headers = {header: encoded(USER, token)}
        return self

    def create(self, **values: Any) -> requests.Response:
        return self.ask("POST", "/Product", {"name": "Wheel", self.key: "W", self.status: "draft", **values})

    @property
    def key(self) -> str:
        return "sku" if self.dialect == "espo" else "number"

    @property
    def status(self) -> str:
        return "productStatus" if self.dialect == "espo" else "status"

    def upsert(self, *payloads: dict[str, Any]) -> list[dict[str, Any]]:
        path = "/upsert" if self.dialect == "2.3" else "/MassActions/action/upsert"
        items = [{"entity": "Product", "payload": payload} for payload in payloads]
        return self.ask("POST", path, items).json()  # type: ignore[no-any-return]


def of_core(served, core, dialect="1.x-2.2"):
    served.seed({"core": core})
    return Client(served, dialect).sign_in()


def payload(key, **values):
    return {"number": key, "name": "Wheel", **values}


def found(client, *conditions, **query):
    answer = client.ask("GET", "/Product", params={"where": json.dumps(conditions), **query})
    return [record["id"] for record in answer.json()["list"]]


def listed(client, entity):
    return client.ask("GET", f"/{entity}").json()["list"]
