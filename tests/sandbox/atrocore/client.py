"""A client of the fake AtroCore server that knows all dialects."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import requests

from tests.conftest import Served

USER, PASSWORD = "airflow", "sandbox-password"


def encode_credentials(user, secret):
    return b64encode(f"{user}:{secret}".encode()).decode()


class Client:
    """A client.

    :param dialect: "2.3", "1.x-2.2" or "espo"
    """

    def __init__(self, served: Served, dialect: str) -> None:
        self.served, self.dialect = served, dialect
        self.api = f"{served.base_url}/{'api' if dialect == '2.3' else 'api/v1'}"
        self.headers: dict[str, str] = {}

    def call(self, method: str, path: str, body: Any = None, **arguments: Any) -> requests.Response:
        headers = {**self.headers, **arguments.pop("headers", {})}
        return requests.request(method, f"{self.api}{path}", json=body, headers=headers, timeout=60, **arguments)

    def request_session(self, password: str = PASSWORD, **headers: str) -> requests.Response:
        name, prefix = ("Espo-Authorization", "") if self.dialect == "espo" else ("Authorization", "Basic ")
        credentials = {name: f"{prefix}{encode_credentials(USER, password)}", **headers}
        path = "/userSession" if self.dialect == "2.3" else "/App/user"
        return requests.get(f"{self.api}{path}", headers=credentials, timeout=60)

    def log_in(self) -> Client:
        """Use a new token for all further calls."""
        token = self.request_session().json()["token"]
        header = "Espo-Authorization" if self.dialect == "espo" else "Authorization-Token"
        self.headers = {header: encode_credentials(USER, token)}
        return self

    def create(self, **values: Any) -> requests.Response:
        return self.call("POST", "/Product", {"name": "Wheel", self.key: "W", self.status: "draft", **values})

    @property
    def key(self) -> str:
        return "sku" if self.dialect == "espo" else "number"

    @property
    def status(self) -> str:
        return "productStatus" if self.dialect == "espo" else "status"

    def upsert(self, *payloads: dict[str, Any]) -> list[dict[str, Any]]:
        path = "/upsert" if self.dialect == "2.3" else "/MassActions/action/upsert"
        items = [{"entity": "Product", "payload": payload} for payload in payloads]
        return self.call("POST", path, items).json()  # type: ignore[no-any-return]


def client_of_core(served, core, dialect="1.x-2.2"):
    served.seed({"core": core})
    return Client(served, dialect).log_in()


def payload(key, **values):
    return {"number": key, "name": "Wheel", **values}


def find_ids(client, *conditions, **query):
    response = client.call("GET", "/Product", params={"where": json.dumps(conditions), **query})
    return [record["id"] for record in response.json()["list"]]


def list_records(client, entity):
    return client.call("GET", f"/{entity}").json()["list"]
