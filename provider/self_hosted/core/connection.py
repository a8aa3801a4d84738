"""How a stored connection is read and checked.

Values that come as text, as they do from connection URIs, are understood all the same, and an extra that no field of
the form knows is named in an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from self_hosted.core.form import FALSE, TRUE, ConnectionForm, Fields


@dataclass(frozen=True)
class Address:
    """Where and how a product is reached.

    :param base_url: scheme, host, port and sub-path, without a slash at the end
    :param verify: whether to check certificates, or the path of those to trust
    :param client_cert: paths of certificate and key, or None
    :param proxy: URL, or None
    :param connect_timeout: seconds
    :param read_timeout: seconds
    :param retry_budget: seconds
    """

    base_url: str
    verify: bool | str = True
    client_cert: tuple[str, str | None] | None = None
    proxy: str | None = None
    connect_timeout: float = 10
    read_timeout: float = 60
    retry_budget: float = 60


@dataclass(frozen=True)
class Settings:
    """A stored connection, read and checked.

    :param conn_id: its name
    :param address: where and how the product is reached
    :param login: user name, "" when not set
    :param password: "" when not set
    :param extra: the product's own fields, each with its type; None when not set and without default
    :param secrets: those of their values that no log may show; the password Airflow hides by itself
    """

    conn_id: str
    address: Address
    login: str
    password: str
    extra: Mapping[str, Any]
    secrets: tuple[str, ...] = ()


def read_connection(connection: Any, form: ConnectionForm) -> Settings:
    """Read an Airflow connection by its form.

    :param connection: an Airflow ``Connection``
    :param form: the form of its type
    :raises ValueError: naming the connection, the field and what would be right
    """
    try:
        extra = _typed(_extra_of(connection), form.fields)
        return Settings(
            conn_id=connection.conn_id,
            address=_address(_base_url(connection, form.default_path), extra),
            login=connection.login or "",
            password=connection.password or "",
            extra=extra,
            secrets=tuple(str(extra[name]) for name in extra if extra[name] and _is_secret(name, form.fields[name])),
        )
    except ValueError as problem:
        raise ValueError(f"connection {connection.conn_id!r}: {problem}") from None


def _is_secret(name: str, field: Mapping[str, Any]) -> bool:
    # the URL of a proxy may hold a password
    return field["schema"].get("format") == "password" or name == "proxy"


def _extra_of(connection: Any) -> dict[str, Any]:
    if not connection.extra:
        return {}
    try:
        extra = json.loads(connection.extra)
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise ValueError("the extra fields must be a JSON object")
    return extra


def _typed(extra: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    unknown = sorted(set(extra) - set(fields))
    if unknown:
        raise ValueError(f"unknown extra {', '.join(map(repr, unknown))}; known are {', '.join(sorted(fields))}")
    return {name: _value(name, extra.get(name), field["schema"]) for name, field in fields.items()}


def _value(name: str, given: Any, schema: Mapping[str, Any]) -> Any:
    """One extra as its schema wants it, also when it came as text."""
    if given is None or not str(given):
        return schema.get("default")
    kind = schema["type"][0]
    if kind == "boolean":
        return _boolean(name, given)
    if kind == "integer":
        return _integer(name, given, schema.get("minimum", 0))
    word = str(given)
    return word if "enum" not in schema else _one_of(name, word, schema["enum"])


def _boolean(name: str, given: Any) -> bool:
    word = str(given).lower()
    if word not in TRUE | FALSE:
        raise ValueError(f"{name} must be true or false, not {given!r}")
    return word in TRUE


def _integer(name: str, given: Any, least: int) -> int:
    try:
        value = int(str(given))
    except ValueError:
        value = least - 1
    if value < least:
        raise ValueError(f"{name} must be a whole number from {least} on, not {given!r}")
    return value


def _one_of(name: str, word: str, options: Iterable[str]) -> str:
    if word not in options:
        raise ValueError(f"{name} must be one of {', '.join(options)}, not {word!r}")
    return word


def _base_url(connection: Any, default_path: str) -> str:
    host = (connection.host or "").strip().rstrip("/")
    if not host:
        raise ValueError("the base URL (host) is missing; an example is https://server.example.com")
    url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    parts = _http_url(url)
    if parts is None:
        raise ValueError(
            f"the base URL {_without_user(host)!r} is not of the form https://server.example.com[:port][/path]"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("the base URL takes no user, query or fragment: credentials have fields of their own")
    if parts.port and connection.port and parts.port != connection.port:
        raise ValueError(
            f"the base URL says port {parts.port}, the field Port says {connection.port}: leave one of them out"
        )
    netloc = f"{parts.netloc}:{connection.port}" if connection.port and not parts.port else parts.netloc
    return f"{parts.scheme}://{netloc}{parts.path or default_path}"


def _http_url(url: str) -> SplitResult | None:
    """The parts of an http or https URL; None for anything else, as urllib's own errors may quote a password."""
    try:
        parts = urlsplit(url)
        return parts if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def _without_user(url: str) -> str:
    """The URL without what may be a password."""
    return url.rsplit("@", 1)[-1]


def _address(base_url: str, extra: Mapping[str, Any]) -> Address:
    for name in ("ca_bundle", "client_cert", "client_key"):
        if extra[name] and not Path(extra[name]).is_file():
            raise ValueError(f"{name}: there is no file {extra[name]!r} on this machine")
    if extra["proxy"] and not _http_url(extra["proxy"]):
        raise ValueError("proxy must be a URL such as http://proxy.example.com:3128")
    verify = extra["verify_tls"] and (extra["ca_bundle"] or True)
    cert = (extra["client_cert"], extra["client_key"]) if extra["client_cert"] else None
    return Address(
        base_url=base_url,
        verify=verify,
        client_cert=cert,
        proxy=extra["proxy"],
        connect_timeout=extra["connect_timeout"],
        read_timeout=extra["read_timeout"],
        retry_budget=extra["retry_budget"],
    )
