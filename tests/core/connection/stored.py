"""Stored connections, read with the form of the toy or of a product."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseHook

from self_hosted.core.connection.form import ConnectionForm
from self_hosted.core.connection.settings import Settings, read_connection
from tests.core.toy import FORM

URL = "https://toy.example.com"


class StoredConnection:
    """An Airflow connection, as far as it is read."""

    def __init__(self, host: str | None = URL, extra: Any = None, **fields: Any) -> None:
        self.conn_id = "my_toy"
        self.host, self.extra = host, json.dumps(extra) if isinstance(extra, dict) else extra
        self.login, self.password = fields.get("login"), fields.get("password")
        self.schema, self.port = fields.get("schema"), fields.get("port")


def read(*args: Any, form: ConnectionForm = FORM, **fields: Any) -> Settings:
    return read_connection(StoredConnection(*args, **fields), form)


def read_error(*args: Any, form: ConnectionForm = FORM, **fields: Any) -> str:
    with pytest.raises(ValueError, match=r"^connection 'my_toy': ") as error:
        read(*args, form=form, **fields)
    return str(error.value).removeprefix("connection 'my_toy': ")


def read_from_environment(monkeypatch: pytest.MonkeyPatch, value: str, form: ConnectionForm) -> Settings:
    monkeypatch.setenv("AIRFLOW_CONN_READ_ME", value)
    return read_connection(BaseHook.get_connection("read_me"), form)
