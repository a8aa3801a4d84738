"""The connection form, as data.

It is declared once per product. Airflow 3.2 and later read it from the provider info; Airflow 3.1 asks the hook for
widgets, which are made from the same data. Airflow reads it at every start, so this file imports next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Fields = dict[str, dict[str, Any]]
TRUE, FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}  # how people and URIs write yes and no

# Airflow 3.3's UI tests an empty port as 0, takes that for another server than the stored one, and refuses
PORT_HINT = "443; may stay empty, but the Test button of Airflow 3.3 needs it"


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


def transport_fields(read_timeout: int = 60, requests_at_once: int = 0) -> Fields:
    """The fields that every connection has.

    :param read_timeout: the product's default, in seconds
    :param requests_at_once: how many requests the product bears at once, by default; 0 = any number
    """
    place = "Transport"
    trusted = "Path of a file with the certificates to trust instead of the usual ones."
    patience = "Seconds to go on trying while the server is unreachable or busy; 0 = try once."
    at_once = "How many requests each process (worker task, triggerer) has under way at once; 0 = any number."
    per_second = "How many requests each process begins per second; 0 = any number."
    return {
        "verify_tls": switch("Verify TLS", "Check the server's certificate.", place, default=True),
        "ca_bundle": text("CA bundle", trusted, place),
        "client_cert": text("Client certificate", "Path of a PEM file, where the server asks for one.", place),
        "client_key": text("Client key", "Path of the certificate's key, unless it is in the same file.", place),
        "proxy": text("Proxy", "URL of the proxy to go through, such as http://proxy.example.com:3128.", place),
        "connect_timeout": number("Connect time-out", "Seconds to reach the server.", place, default=10, least=1),
        "read_timeout": number("Read time-out", "Seconds to wait for an answer.", place, default=read_timeout, least=1),
        "retry_budget": number("Retry budget", patience, place, default=60),
        "max_requests_at_once": number("Requests at once", at_once, place, default=requests_at_once),
        "max_requests_per_second": number("Requests per second", per_second, place, default=0),
    }


class ConnectionForm(NamedTuple):
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


def _field(label: str, description: str, schema: dict[str, Any], section: str | None) -> dict[str, Any]:
    placed = {**schema, "section": section} if section else schema
    return {"label": label, "description": description, "schema": placed}
