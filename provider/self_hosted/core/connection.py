"""The connection form as data, and how a stored connection is read.

The form is declared once per product. Airflow 3.2 and later read it from the provider info; Airflow 3.1 asks the hook
for widgets, which are made from the same data (`widgets`). Values that come as text, as they do from connection URIs,
are understood all the same, and an extra that no field knows is named in an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

Fields = dict[str, dict[str, Any]]

# Airflow 3.3's UI tests an empty port as 0, takes that for another server than the stored one, and refuses
PORT_HINT = "443; may stay empty, but the Test button of Airflow 3.3 needs it"
TRUE, FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


def text(label: str, description: str, section: str | None = None, *, secret: bool = False) -> dict[str, Any]:
    """A text field.

    :param label: its label
    :param description: the help below it
    :param section: the part of the form it belongs to; of the product's own if None
    :param secret: whether it is hidden; its *name* must then hold a word that Airflow masks: token, api_key, ...
    """
    schema: dict[str, Any] = {"type": ["string", "null"]}
    if secret:
        schema["format"] = "password"
    return _field(label, description, schema, section)


def choice(label: str, description: str, options: list[str]) -> dict[str, Any]:
    """One of several words.

    :param label: its label
    :param description: the help below it
    :param options: the words; the first is the default
    """
    return _field(label, description, {"type": ["string", "null"], "enum": options, "default": options[0]}, None)


def switch(label: str, description: str, section: str | None = None, *, default: bool) -> dict[str, Any]:
    """Yes or no.

    :param label: its label
    :param description: the help below it
    :param section: the part of the form it belongs to
    :param default: what it is when not set
    """
    # with "null", for otherwise the form marks it as mandatory
    return _field(label, description, {"type": ["boolean", "null"], "default": default}, section)


def number(label: str, description: str, section: str | None = None, *, default: int, least: int = 0) -> dict[str, Any]:
    """A whole number.

    :param label: its label
    :param description: the help below it
    :param section: the part of the form it belongs to
    :param default: what it is when not set
    :param least: the smallest that is accepted
    """
    schema = {"type": ["integer", "null"], "default": default, "minimum": least}
    return _field(label, description, schema, section)


def transport_fields(read_timeout: int = 60) -> Fields:
    """The fields that every connection has.

    :param read_timeout: the product's default, in seconds
    """
    place = "Transport"
    trusted = "Path of a file with the certificates to trust instead of the usual ones."
    patience = "Seconds to go on trying while the server is unreachable or busy; 0 = try once."
    return {
        "verify_tls": switch("Verify TLS", "Check the server's certificate.", place, default=True),
        "ca_bundle": text("CA bundle", trusted, place),
        "client_cert": text("Client certificate", "Path of a PEM file, where the server asks for one.", place),
        "client_key": text("Client key", "Path of the certificate's key, unless it is in the same file.", place),
        "proxy": text("Proxy", "URL of the proxy to go through, such as http://proxy.example.com:3128.", place),
        "connect_timeout": number("Connect time-out", "Seconds to reach the server.", place, default=10, least=1),
        "read_timeout": number("Read time-out", "Seconds to wait for an answer.", place, default=read_timeout, least=1),
        "retry_budget": number("Retry budget", patience, place, default=60),
    }


@dataclass(frozen=True)
class ConnectionForm:
    """One connection type: how it looks in the Airflow UI, and how a stored connection is read.

    :param conn_type: Airflow's id of the type
    :param hook_name: what the drop-down shows
    :param hook_class: path of the hook class
    :param fields: the extras, by name: those of the product, then `transport_fields`
    :param relabeling: labels of standard fields, such as {"host": "Base URL"}
    :param hidden: standard fields the product has no use for
    :param placeholders: examples for standard fields
    :param default_path: the path that belongs to the product's base URL when the user gives none
    """

    conn_type: str
    hook_name: str
    hook_class: str
    fields: Fields
    relabeling: Mapping[str, str]
    hidden: tuple[str, ...]
    placeholders: Mapping[str, str]
    default_path: str = ""

    def behaviour(self) -> dict[str, Any]:
        """Labels, hidden fields and placeholders, as Airflow wants them."""
        return {
            "hidden-fields": list(self.hidden),
            "relabeling": dict(self.relabeling),
            "placeholders": dict(self.placeholders),
        }

    def behaviour_of_3_1(self) -> dict[str, Any]:
        """The same under the names Airflow 3.1 knows."""
        return {name.replace("-", "_"): value for name, value in self.behaviour().items()}

    def provider_info(self) -> dict[str, Any]:
        """The entry of the provider info's ``connection-types``."""
        return {
            "connection-type": self.conn_type,
            "hook-class-name": self.hook_class,
            "hook-name": self.hook_name,
            "conn-fields": self.fields,
            "ui-field-behaviour": self.behaviour(),
        }

    def widgets(self) -> dict[str, Any]:
        """The same fields as widgets, which is all that Airflow 3.1 knows; it brings stand-ins for the libraries."""
        from wtforms import BooleanField, IntegerField, PasswordField, StringField
        from wtforms.validators import Optional, any_of

        kinds = {"boolean": BooleanField, "integer": IntegerField}

        def widget(field: dict[str, Any]) -> Any:
            schema = field["schema"]
            kind = PasswordField if schema.get("format") == "password" else kinds.get(schema["type"][0], StringField)
            options = [any_of(schema["enum"])] if "enum" in schema else []
            default, description = schema.get("default"), field["description"]
            return kind(field["label"], validators=[Optional(), *options], default=default, description=description)

        return {name: widget(field) for name, field in self.fields.items()}


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
    """

    conn_id: str
    address: Address
    login: str
    password: str
    extra: Mapping[str, Any]


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
        )
    except ValueError as problem:
        raise ValueError(f"connection {connection.conn_id!r}: {problem}") from None


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


def _field(label: str, description: str, schema: dict[str, Any], section: str | None) -> dict[str, Any]:
    placed = {**schema, "section": section} if section else schema
    return {"label": label, "description": description, "schema": placed}
