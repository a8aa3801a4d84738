"""Apply every regular expression of the provider, and every function that uses one, to long texts of an attacker.

Each text may take some CPU time, many times more than a linear pattern needs. The system ends the process if it takes
more; the last line of the output then names the case. With the argument "quadratic", there is such a case.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import self_hosted
from self_hosted.assemblyline import errors as assemblyline_errors
from self_hosted.assemblyline.api.files import hash_kinds
from self_hosted.assemblyline.api.retrohunts import starts
from self_hosted.assemblyline.api.submissions import contents, intake
from self_hosted.assemblyline.hook import _read_cookie
from self_hosted.atrocore import errors as atrocore_errors
from self_hosted.atrocore.api.comparison import is_same
from self_hosted.ayon import errors as ayon_errors
from self_hosted.core.arguments import parse_int, parse_list
from self_hosted.core.connection.settings import read_connection
from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.flow import Reply, Request
from self_hosted.core.http.redact import Secrets
from self_hosted.rudder import errors as rudder_errors
from self_hosted.rudder.connection import FORM as RUDDER
from tests.core.connection.stored import StoredConnection

CPU_SECONDS = 3  # for one text; a linear pattern needs well below 0.1, a quadratic one 5 at least
LENGTH = 120_000
METHODS = ("search", "match", "fullmatch", "sub", "split", "findall", "finditer")
# what these are applied to is shorter; the number of characters is that of the code
BOUNDED = {
    "self_hosted.ayon.errors.OUTAGE": 200,
    "self_hosted.core.http.redact._pattern": 20_000,
}
PARTS = (
    *(
        "<title>",
        "<title",
        "<",
        "'",
        '"',
        "a",
        "A",
        "0",
        "0f",
        ".",
        "/",
        "//",
        "-",
        "_",
        " ",
        "\t",
        "\n",
        ",",
        ":",
        ";",
    ),
    *(
        "=",
        "@",
        "&",
        "(",
        "[",
        "{",
        "{}",
        "a.",
        "a,",
        "a ",
        "a-",
        "a@",
        "//a",
        "a:",
        "a=",
        "\\",
        "[a]",
        "Code: 1",
        "v1.",
    ),
    *("rule a{", "rule a {condition ", "condition: ", "condition ", "rule ", "unexpected: ", "unexpected: a", "no a "),
    *(
        "is missing ",
        "can't be ",
        "not a ",
        "missing a ",
        "Duplicate ",
        "SQLSTATE[",
        "SQLSTATE[08006] [7",
        "SQL",
        "PSQL",
    ),
    *("An exception occurred in the driver: ", "server closed ", "connections", "already ", "concurrent submission "),
    *(
        "concurrent submission quota of 1",
        "alert/ownership/",
        "workflow/",
        "/api/v4/workflow/a",
        "ConnectTimeout",
        "e1",
    ),
    *("1e", "1.", "-1", "2026-06-01T12:30", "T1", "1:a", "a:a:", "\u00e4", "\u202e", "\x00", "\ud7ff", "%41", "%"),
)
"""A text of an attacker repeats one of them."""

Case = tuple[str, Callable[[str], Any]]


def list_patterns() -> Iterator[Case]:
    """Yield each compiled pattern of a module or class, with the methods that the code calls."""
    for module in iterate_modules():
        source = inspect.getsource(module)
        for name, value in list_members(module):
            full_name = f"{module.__name__}.{name}"
            methods = [method for method in METHODS if re.search(rf"\b{name}\.{method}\(", source)] or ["fullmatch"]
            for pattern in value if isinstance(value, tuple) else (value,):
                for method in methods:
                    yield f"{full_name}.{method}", apply(pattern, method, BOUNDED.get(full_name, LENGTH))


def iterate_modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(self_hosted.__path__, "self_hosted."):
        if not found.name.startswith("self_hosted.sandbox"):
            yield import_module(found.name)


def list_members(module: Any) -> Iterator[tuple[str, Any]]:
    """Yield the patterns, and tuples of patterns, that a module or one of its classes defines."""
    classes = [
        value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__
    ]
    for owner in (module, *classes):
        for name, value in vars(owner).items():
            parts = value if isinstance(value, tuple) and value else (value,)
            if all(isinstance(part, re.Pattern) for part in parts):
                yield name, value


def apply(pattern: re.Pattern[str], method: str, length: int) -> Callable[[str], Any]:
    def run(text: str) -> None:
        is_bytes = isinstance(pattern.pattern, bytes)
        subject: Any = text[:length].encode("utf-8", "replace") if is_bytes else text[:length]
        if method == "sub":
            pattern.sub("", subject)
        elif method == "finditer":
            list(pattern.finditer(subject))
        else:
            getattr(pattern, method)(subject)

    return run


def answer(parse_error: Callable[[Reply], Any], status: int, content_type: str = "text/plain") -> Callable[[str], Any]:
    """Return a function that parses an error response with a text as its body, and as a text in a JSON body."""

    def run(text: str) -> None:
        bodies = (
            text,
            f'{{"errorDetails": "{text}", "result": "error", "detail": "{text}", "api_error_message": "{text}"}}',
        )
        for body in bodies:
            for method in ("GET", "POST"):
                reply = Reply(
                    status,
                    {"content-type": content_type, "x-status-reason": text},
                    body.encode("utf-8", "replace"),
                    Request(method, "/api/v4/submit/"),
                )
                parse_error(reply)

    return run


def ignore_errors(function: Callable[[str], Any]) -> Callable[[str], Any]:
    def run(text: str) -> None:
        try:
            function(text)
        except (ValueError, SelfHostedError):
            return

    return run


def list_functions() -> Iterator[Case]:
    """Yield functions with patterns that are built where they are used, and those that read texts of servers."""
    for status in (400, 500, 503):
        for parse in (assemblyline_errors, atrocore_errors, ayon_errors, rudder_errors):
            for content_type in ("text/plain", "application/json"):
                yield f"{parse.__name__}, {status}, {content_type}", answer(parse.parse_error, status, content_type)
    page = "<html>" + "{}"
    yield "atrocore page", lambda text: answer(atrocore_errors.parse_error, 502)(page.format(text[:100_000]))
    yield "quota", lambda text: intake.parse_quota(SelfHostedError(text))
    yield "URL", contents._normalize_url
    yield "cookie", lambda text: _read_cookie(text, "session")
    yield "YARA rule", ignore_errors(lambda text: next(starts.start(text, {"description": "a"})))
    yield "hash", ignore_errors(hash_kinds.identify)
    yield "list", parse_list
    yield "base URL", ignore_errors(lambda text: read_connection(StoredConnection(f"https://a/{text}"), RUDDER))
    yield "number", ignore_errors(lambda text: parse_int("a", text))
    yield (
        "comparison",
        lambda text: (is_same("name", text, 1), is_same("name", text, text + "a"), is_same("name", True, text)),
    )
    secrets = Secrets(["password-of-a-user", "a" * 100, "token ab"])
    yield "redaction", lambda text: (secrets.clean(text), secrets.redact(text))


def list_quadratic() -> Iterator[Case]:
    pattern = re.compile(r"<title>(.*?)</title>", re.IGNORECASE | re.DOTALL)
    yield "quadratic", pattern.search


def main(arguments: list[str]) -> None:
    """Run all cases, or the quadratic one."""
    texts = [part * (LENGTH // len(part)) + "!" for part in PARTS]
    cases = list(list_quadratic()) if "quadratic" in arguments else [*list_patterns(), *list_functions()]
    for name, function in cases:
        print(name, flush=True)
        for text in texts:
            limit = int(time.process_time()) + 1 + CPU_SECONDS
            resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
            function(text)
    print(f"{len(cases)} cases are done")


if __name__ == "__main__":
    main(sys.argv[1:])
