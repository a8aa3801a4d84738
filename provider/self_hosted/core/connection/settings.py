"""Read and check a stored connection.

Text values are parsed, because connection URIs hold text only. Unknown extra fields are errors.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from self_hosted.core.arguments import parse_bool, parse_choice, parse_int
from self_hosted.core.connection.base_url import read_base_url, split_http_url
from self_hosted.core.connection.extra_headers import list_secrets as list_header_secrets, parse_headers
from self_hosted.core.connection.form import HEADERS_FIELD, ConnectionForm, Fields
from self_hosted.core.connection.security import warn_once
from self_hosted.core.http.address import Address
from self_hosted.core.http.defaults import TOTAL_TIMEOUT_FACTOR
from self_hosted.core.http.limiter import RequestLimiter
from self_hosted.core.http.redact import Secrets


@dataclass(frozen=True)
class Settings:
    """A stored connection, read and checked.

    :param conn_id: its name
    :param address: where and how the product is reached
    :param login: user name, "" if not set
    :param password: "" if not set
    :param extra: the extra fields with typed values; None if not set and without default
    :param secrets: the values to mask in logs; Airflow masks the password itself
    :param headers: the extra request headers
    :param removed_path: the end of the given base URL that is not part of it, such as "/api"
    """

    conn_id: str
    address: Address
    login: str
    password: str = field(repr=False)
    extra: Mapping[str, Any] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    removed_path: str = ""

    def collect_secrets(self) -> Secrets:
        """Return all secrets of the connection, for the cleaning of texts; with those of Basic authentication."""
        return Secrets(self.list_secrets())

    def list_secrets(self) -> list[str]:
        """Return the secrets of the connection, with those of Basic authentication."""
        basic = b64encode(f"{self.login}:{self.password}".encode()).decode() if self.password else ""
        return [secret for secret in (self.password, basic, *self.secrets) if secret]

    @property
    def credential(self) -> tuple[str, ...]:
        """What a product rejects if it is wrong: equal credentials are rejected alike."""
        secrets = (secret for secret in self.secrets if secret != self.address.proxy)
        return (self.login, self.password, *secrets, *self.headers)


def describe_removed_path(settings: Settings) -> str:
    """Return one sentence about the base URL that is used, if it is not the given one; else "".

    :param settings: the connection
    """
    url, removed = settings.address.base_url, settings.removed_path
    return f"The base URL that is used is {url}, without {removed}." if removed else ""


_limiters: dict[tuple[str, str], RequestLimiter] = {}


def limiter_for(settings: Settings) -> RequestLimiter:
    """Return the limiter that all hooks with this connection share in a process; a new one if its limits changed.

    :param settings: the connection
    """
    limits = settings.extra["max_concurrent_requests"], settings.extra["max_requests_per_second"]
    key = (settings.conn_id, settings.address.base_url)
    limiter = _limiters.get(key)
    if limiter is None or (limiter.max_concurrency, limiter.max_per_second) != limits:
        limiter = _limiters[key] = RequestLimiter(*limits)
    return limiter


def read_connection(connection: Any, form: ConnectionForm) -> Settings:
    """Return the settings of an Airflow connection.

    :param connection: an Airflow ``Connection``
    :param form: the form of its type
    :raises ValueError: naming the connection, the field and the valid values
    """
    try:
        extra = _parse_extra(_read_extra(connection), form.fields)
        base_url, headers = read_base_url(connection, form), parse_headers(extra[HEADERS_FIELD], form)
        settings = Settings(
            conn_id=connection.conn_id,
            address=_address(base_url.url, extra),
            login=connection.login or "",
            password=connection.password or "",
            extra=extra,
            secrets=(*_list_secrets(extra, form.fields), *list_header_secrets(headers)),
            headers=headers,
            removed_path=base_url.removed,
        )
    except ValueError as problem:
        raise ValueError(f"connection {connection.conn_id!r}: {problem}") from None
    warn_once(settings.conn_id, settings.address)
    return settings


def _list_secrets(extra: Mapping[str, Any], fields: Fields) -> list[str]:
    secret_fields = [name for name in fields if fields[name]["schema"].get("format") == "password"]
    # the URL of a proxy may hold a password
    names = [name for name in [*secret_fields, "proxy"] if name != HEADERS_FIELD]
    return [str(extra[name]) for name in names if extra[name]]


def _read_extra(connection: Any) -> dict[str, Any]:
    if not connection.extra:
        return {}
    try:
        extra = json.loads(connection.extra)
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise ValueError("the extra fields must be a JSON object")
    return extra


def _parse_extra(extra: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    unknown = sorted(set(extra) - set(fields))
    if unknown:
        raise ValueError(f"unknown extra {', '.join(map(repr, unknown))}; valid are {', '.join(sorted(fields))}")
    return {name: _parse_value(name, extra.get(name), field["schema"]) for name, field in fields.items()}


def _parse_value(name: str, given: Any, schema: Mapping[str, Any]) -> Any:
    """Return the value of one extra field, as its schema requires."""
    if given is None or not str(given):
        return schema.get("default")
    value_type = schema["type"][0]
    if value_type == "boolean":
        return parse_bool(name, given)
    if value_type == "integer":
        return parse_int(name, given, minimum=schema.get("minimum", 0))
    if "enum" in schema:
        return parse_choice(name, str(given), schema["enum"])
    return json.dumps(given) if isinstance(given, Mapping) else str(given)


def _address(base_url: str, extra: Mapping[str, Any]) -> Address:
    for name in ("ca_bundle", "client_cert", "client_key"):
        if extra[name] and not Path(extra[name]).is_file():
            raise ValueError(f"{name}: file {extra[name]!r} does not exist on this machine")
    if extra["proxy"] and not split_http_url(extra["proxy"]):
        raise ValueError("proxy must be a URL such as http://proxy.example.com:3128")
    if extra["client_key"] and not extra["client_cert"]:
        raise ValueError("client_key needs client_cert, the certificate that the key belongs to")
    verify = extra["verify_tls"] and (extra["ca_bundle"] or True)
    cert = (extra["client_cert"], extra["client_key"]) if extra["client_cert"] else None
    return Address(
        base_url=base_url,
        verify=verify,
        client_cert=cert,
        proxy=extra["proxy"],
        connect_timeout=extra["connect_timeout"],
        read_timeout=extra["read_timeout"],
        total_timeout=extra["total_timeout"] or extra["read_timeout"] * TOTAL_TIMEOUT_FACTOR,
        retry_timeout=extra["retry_timeout"],
        max_response_bytes=extra["max_response_mib"] * 1024 * 1024,
    )
