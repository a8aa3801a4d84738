"""The base URL of a connection: read from host, port and schema, without the path of the product's API.

Users paste the address that they see: that of an API endpoint, or of a page.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from self_hosted.core.connection.form import ConnectionForm


class BaseUrl(NamedTuple):
    """Where a product is reached.

    :param url: scheme, host, port and sub-path, without a trailing slash
    :param removed: the end of the given URL that is not part of it, such as "/api"; "" if there was none
    """

    url: str
    removed: str = ""


def read_base_url(connection: Any, form: ConnectionForm) -> BaseUrl:
    """Return the base URL of an Airflow connection.

    :param connection: an Airflow ``Connection``
    :param form: the form of its type
    :raises ValueError: if the URL is missing or invalid, or is the address of a page
    """
    parts = _read_parts(connection)
    path = parts.path.rstrip("/")
    fragment = "#..." if parts.fragment else ""  # of a page; browsers do not send it either
    api = re.fullmatch(f"(.*?)({form.api_path})", path) if form.api_path else None
    netloc = f"{parts.netloc}:{connection.port}" if connection.port and not parts.port else parts.netloc
    server = f"{parts.scheme}://{netloc}"
    if api:  # says where the API is, even if the default is another path
        base = BaseUrl(server + api[1].rstrip("/"), api[2] + fragment)
    else:
        _check_is_no_page(server, path, form)
        base = BaseUrl(server + (path or form.default_path), fragment)
    if parts.query:
        raise ValueError(f"the base URL must not contain a query; use {base.url}")
    return base


def split_http_url(url: str) -> SplitResult | None:
    """Return the parts of an http or https URL, or None: the errors of urllib may quote a password.

    :param url: any text
    """
    try:
        parts = urlsplit(url)
        return parts if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def _read_parts(connection: Any) -> SplitResult:
    host = (connection.host or "").strip()
    if not host:
        raise ValueError("the base URL (host) is missing; use a URL such as https://server.example.com")
    scheme, path = _read_schema(connection.schema)
    url = host if "://" in host else f"{scheme}://{host}"
    parts = split_http_url(f"{url.rstrip('/')}/{path}" if path else url)
    if parts is None:
        shown = _strip_credentials(host.rstrip("/"))
        raise ValueError(f"the base URL {shown!r} is invalid; use the form https://server.example.com[:port][/path]")
    # the part after "@" is a host, and the one before it a password
    if parts.username is not None or "@" in parts.query or "@" in parts.fragment:
        raise ValueError("the base URL must not contain user or password; enter them in their own fields")
    if parts.port and connection.port and parts.port != connection.port:
        raise ValueError(
            f"the base URL has port {parts.port}, the field Port has {connection.port}; remove one of them"
        )
    return parts


def _read_schema(schema: str | None) -> tuple[str, str]:
    """Return scheme and path: Airflow stores the path of a connection URI in the schema, too."""
    text = (schema or "").strip().strip("/")
    return (text, "") if text in {"http", "https"} else ("https", text)


def _check_is_no_page(server: str, path: str, form: ConnectionForm) -> None:
    """Reject the address of a page of the web interface.

    It is not shortened: the path might be that of a proxy, and the credential must not be sent elsewhere on its server.
    """
    before, *segments = path.split("/")
    for segment in segments:
        if segment in form.pages:
            base = f"{server}{before or form.default_path}"
            raise ValueError(f"the base URL is the address of a page of {form.hook_name}; use {base}")
        before = f"{before}/{segment}"


def _strip_credentials(url: str) -> str:
    """Return the URL without user and password."""
    return url.rsplit("@", 1)[-1]
