"""Connection forms as data.

Each product declares one form. Airflow 3.2 and later read it from the provider info; for Airflow 3.1 the hook creates
widgets from the same data. Airflow reads it at every start, so this file imports almost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from self_hosted.core.http.defaults import DEFAULT_MAX_RESPONSE_MIB, TOTAL_TIMEOUT_FACTOR

Fields = dict[str, dict[str, Any]]

# The UI of Airflow 3.3 tests an empty port as 0, considers that a different server, and refuses the test
PORT_HINT = "443; may be empty, but the Test button of Airflow 3.3 needs it"


HEADERS_FIELD = "secret_headers"  # Airflow masks fields with such a name


def text(label: str, description: str, section: str | None = None, *, secret: bool = False) -> dict[str, Any]:
    """Return a text field.

    :param label: its label
    :param description: the help below it
    :param section: the section of the form; None = the product's own
    :param secret: whether it is masked; its *name* must then contain a word that Airflow masks: token, api_key, ...
    """
    schema: dict[str, Any] = {"type": ["string", "null"]}
    if secret:
        schema["format"] = "password"
    return _field(label, description, schema, section)


def choice(label: str, description: str, options: list[str]) -> dict[str, Any]:
    """Return a drop-down.

    :param label: its label
    :param description: the help below it
    :param options: the choices; the first is the default
    """
    return _field(label, description, {"type": ["string", "null"], "enum": options, "default": options[0]}, None)


def switch(label: str, description: str, section: str | None = None, *, default: bool) -> dict[str, Any]:
    """Return a switch.

    :param label: its label
    :param description: the help below it
    :param section: the section of the form
    :param default: the value if it is not set
    """
    # with "null": otherwise the form marks it as mandatory
    return _field(label, description, {"type": ["boolean", "null"], "default": default}, section)


def number(
    label: str, description: str, section: str | None = None, *, default: int, minimum: int = 0
) -> dict[str, Any]:
    """Return a field for a whole number.

    :param label: its label
    :param description: the help below it
    :param section: the section of the form
    :param default: the value if it is not set
    :param minimum: the smallest valid number
    """
    schema = {"type": ["integer", "null"], "default": default, "minimum": minimum}
    return _field(label, description, schema, section)


def transport_fields(read_timeout: int = 60, max_concurrent_requests: int = 0) -> Fields:
    """Return the fields that every connection has.

    :param read_timeout: the product's default, in seconds
    :param max_concurrent_requests: how many concurrent requests the product tolerates by default; 0 = no limit
    """
    section = "Transport"
    trusted = "Path of a file with the certificates to trust instead of the usual ones."
    retry = "Seconds during which requests are retried while the server is unreachable or unavailable; 0 = no retries."
    concurrent = "How many requests each process (worker task, triggerer) may have in flight; 0 = no limit."
    per_second = "How many requests each process may begin per second; 0 = no limit."
    pem = "Path of a PEM file, if the server requires one."
    key = "Path of the certificate's key, unless it is in the same file."
    proxy = "URL of the proxy, such as http://proxy.example.com:3128."
    total = f"Time for a whole response; 0 = {TOTAL_TIMEOUT_FACTOR} times the read timeout."
    headers = (
        "Headers that a proxy before the server requires, sent with every request, as a JSON object: "
        '{"CF-Access-Client-Id": "...", "CF-Access-Client-Secret": "..."}.'
    )
    size = "How large a response may be in memory, decompressed; files are not limited."
    return {
        "verify_tls": switch("Verify TLS", "Check the server's certificate.", section, default=True),
        "ca_bundle": text("CA bundle", trusted, section),
        "client_cert": text("Client certificate", pem, section),
        "client_key": text("Client key", key, section),
        "proxy": text("Proxy", proxy, section),
        HEADERS_FIELD: text("Extra request headers", headers, section, secret=True),
        "connect_timeout": number(
            "Connect timeout (seconds)", "Time to reach the server.", section, default=10, minimum=1
        ),
        "read_timeout": number(
            "Read timeout (seconds)", "Time to wait for a response.", section, default=read_timeout, minimum=1
        ),
        "total_timeout": number("Total timeout (seconds)", total, section, default=0),
        "max_response_mib": number(
            "Max response size (MiB)", size, section, default=DEFAULT_MAX_RESPONSE_MIB, minimum=1
        ),
        "retry_timeout": number("Keep retrying for (seconds)", retry, section, default=60),
        "max_concurrent_requests": number(
            "Max concurrent requests", concurrent, section, default=max_concurrent_requests
        ),
        "max_requests_per_second": number("Max requests per second", per_second, section, default=0),
    }


class ConnectionForm(NamedTuple):
    """One connection type: its form in the Airflow UI, and how a stored connection is read.

    :param conn_type: Airflow's id of the type
    :param hook_name: the name in the drop-down of connection types
    :param hook_class: path of the hook class
    :param fields: the extra fields, by name: the product's own, then `transport_fields`
    :param relabeling: labels of standard fields, such as {"host": "Base URL"}
    :param hidden: standard fields that the product does not use
    :param placeholders: examples for standard fields
    :param default_path: path of the base URL if the user gives none
    :param api_path: regular expression of the API's path below the base URL, which users paste along with it
    :param pages: first segments of the paths of the web interface below the base URL, which users paste as well
    :param own_headers: the headers of the sign-in, and those that have a field; no extra header may have such a name
    """

    conn_type: str
    hook_name: str
    hook_class: str
    fields: Fields
    relabeling: Mapping[str, str]
    hidden: tuple[str, ...]
    placeholders: Mapping[str, str]
    default_path: str = ""
    api_path: str = ""
    pages: tuple[str, ...] = ()
    own_headers: tuple[str, ...] = ()

    def behaviour(self) -> dict[str, Any]:
        """Return labels, hidden fields and placeholders in Airflow's format."""
        return {
            "hidden-fields": list(self.hidden),
            "relabeling": dict(self.relabeling),
            "placeholders": dict(self.placeholders),
        }

    def behaviour_of_3_1(self) -> dict[str, Any]:
        """Return the same under the names of Airflow 3.1."""
        return {name.replace("-", "_"): value for name, value in self.behaviour().items()}

    def provider_info(self) -> dict[str, Any]:
        """Return the entry of the provider info's ``connection-types``."""
        return {
            "connection-type": self.conn_type,
            "hook-class-name": self.hook_class,
            "hook-name": self.hook_name,
            "conn-fields": self.fields,
            "ui-field-behaviour": self.behaviour(),
        }

    def widgets(self) -> dict[str, Any]:
        """Return the fields as widgets for Airflow 3.1, which brings substitutes for the libraries."""
        from wtforms import BooleanField, IntegerField, PasswordField, StringField
        from wtforms.validators import Optional, any_of

        widgets = {"boolean": BooleanField, "integer": IntegerField}

        def widget(field: dict[str, Any]) -> Any:
            schema = field["schema"]
            widget_class = (
                PasswordField if schema.get("format") == "password" else widgets.get(schema["type"][0], StringField)
            )
            options = [any_of(schema["enum"])] if "enum" in schema else []
            default, description = schema.get("default"), field["description"]
            return widget_class(
                field["label"], validators=[Optional(), *options], default=default, description=description
            )

        return {name: widget(field) for name, field in self.fields.items()}


def _field(label: str, description: str, schema: dict[str, Any], section: str | None) -> dict[str, Any]:
    in_section = {**schema, "section": section} if section else schema
    return {"label": label, "description": description, "schema": in_section}
