"""Credentials of all kinds, and a server that repeats whatever it receives, in many forms."""

from __future__ import annotations

import base64
import json
import pickle
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

from tests.hostile.server import Behaviour, Exchange, as_json, canned

SECRET = 'hostile "secret" /+&=é\\zebrafinch'
HEADER_SECRET = 'hostile-"secret"/+&=\\zebrafinch'  # headers hold ASCII only
KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "assemblyline": {
        "API key": {"login": "admin", "extra": {"api_key": f"key:{HEADER_SECRET}"}},
        "bearer token": {"extra": {"bearer_token": "e30.hostile-zebrafinch.e30"}},
        "password": {"login": "admin", "password": SECRET},
    },
    "atrocore": {
        "token": {"extra": {"authorization_token": HEADER_SECRET, "dialect": "2.3"}},
        "password": {"login": "airflow", "password": SECRET},
        "password of 2.3": {"login": "airflow", "password": SECRET, "extra": {"dialect": "2.3"}},
        "password of 1.x": {"login": "airflow", "password": SECRET, "extra": {"dialect": "1.x-2.2"}},
        "password of espo": {"login": "airflow", "password": SECRET, "extra": {"dialect": "espo"}},
    },
    "ayon": {
        "API key": {"extra": {"api_key": HEADER_SECRET}},
        "API key of a service": {"extra": {"api_key": HEADER_SECRET, "as_user": "anna"}},
        "password": {"login": "airflow", "password": SECRET},
    },
    "rudder": {"token": {"password": HEADER_SECRET}},
}
CREDENTIALS = [(product, kind) for product, kinds in KINDS.items() for kind in kinds]
MARK = "zebrafinch"
"""The end of each secret, which no other text contains."""


def quote_header(text: str) -> str:
    return json.dumps(text)[1:-1]


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "URL": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "Base64 after one character": lambda text: base64.b64encode(f"x{text}".encode()).decode(),
    "Base64 after two characters": lambda text: base64.b64encode(f"xx{text}".encode()).decode(),
    "URL-safe Base64": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "JSON": quote_header,
    "JSON in JSON": lambda text: quote_header(quote_header(text)),
    "HTML": lambda text: text.replace("&", "&amp;").replace('"', "&quot;"),
    "Python": repr,
}
"""How a server may repeat a text."""


def repeat(exchange: Exchange, form: str) -> str:
    """Return the request's headers and body as the server repeats them."""
    values = [exchange.target, *exchange.headers.values(), exchange.body.decode()]
    return " | ".join(FORMS[form](value) for value in values)


def build_echo(form: str, status: int, kind: str = "json") -> Behaviour:
    """Return a server's behaviour: it repeats each request, where the products show the reason of an error."""

    def respond(exchange: Exchange) -> None:
        text = repeat(exchange, form)
        headers = {
            "X-Status-Reason": " ".join(text.split()),
            "Location": f"http://elsewhere.example.com/?{quote(text)}",
        }
        if kind != "json":
            canned(status, {"Content-Type": f"text/{kind}", **headers}, f"<title>{text}</title>{text}".encode())(
                exchange
            )
            return
        names = ("api_error_message", "detail", "errorDetails", "message", "error", "reason", "traceback")
        body = {name: text for name in names}
        as_json({"api_response": text, "result": "error", "action": "x", **body}, status, headers)(exchange)

    return respond


def find_leaks(error: BaseException) -> list[str]:
    """Return the places where the secret shows in an exception."""
    chain = "".join(traceback.format_exception(error))
    places = {
        "str": str(error),
        "repr": repr(error),
        "attributes": repr(vars(error)),
        "traceback": chain,
        "pickle": repr(vars(pickle.loads(pickle.dumps(error)))),
    }
    return [f"{place}: {text}" for place, text in places.items() if has_secret(text)]


def has_secret(text: str) -> bool:
    """Whether a text has the end of the secret, in any of the forms."""
    return any(part in text for part in (MARK, *map(encode_mark, range(3))))


def encode_mark(offset: int) -> str:
    """Return the Base64 digits that depend on nothing but the mark, for a number of bytes before it."""
    return base64.b64encode(b"x" * offset + MARK.encode()).decode()[4 if offset else 0 : -4]
