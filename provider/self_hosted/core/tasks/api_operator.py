"""The base of every product's API operator: call any endpoint that has no operator of its own.

A product's subclass names the root of its API, how its paths end, and which of its GETs have side effects.
"""

from __future__ import annotations

import json as json_format
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict
from urllib.parse import unquote

from self_hosted.core.arguments import parse_bool, parse_json, parse_object, parse_text, require_confirm
from self_hosted.core.http.errors import OutcomeUnknownError, PermanentError, SelfHostedError, ServerError
from self_hosted.core.http.flow import UNSET, Flow, Request
from self_hosted.core.tasks.job_state import clear_job_state, is_previous_attempt_unknown, save_job_state
from self_hosted.core.tasks.lineage import record_output
from self_hosted.core.tasks.operator import SelfHostedOperator, publish_link
from self_hosted.core.tasks.storage import atomic_writer, parse_max_size, parse_optional_uri, resolve_path

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.providers.common.compat.sdk import Context

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SEGMENT = re.compile(r"(?:[\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+", re.ASCII)
MAX_RESULT_BYTES = 64 * 1024  # of JSON in an XCom
ADVICE = "Check in the product; clear the task to send it again, or set idempotent=True if twice is harmless"


class SavedResponse(TypedDict):
    """A response that was written to a file.

    :param output_uri: path or URI of the file
    :param size: in bytes
    """

    output_uri: str
    size: int


class SelfHostedApiOperator(SelfHostedOperator):
    """Calls any endpoint of a product's API, with the connection's address, credential, retries and errors.

    :param path: path below the product's API, its variable parts percent-encoded; the root and the last slash, which
        all paths of the API share, may be left out
    :param method: GET, POST, PUT, PATCH or DELETE
    :param query: parameters by name; a list repeats the name, and None is left out
    :param json: the body: a dictionary or list, also as the text that a template renders, or another plain JSON value;
        None = no body
    :param output_uri: path or URI of a file that the response is written to, for a response that is large or not JSON.
        Without it the response is the result, up to 64 KiB
    :param max_size: maximum size of that file, in bytes; default: no limit
    :param confirm: must be true for a DELETE, and for a GET with side effects
    :param idempotent: whether sending a write twice is harmless. Unless it is true, a task fails permanently if the
        response was lost or its worker died meanwhile; the request is not repeated
    :return: the response, or `SavedResponse`
    :raises AirflowFailException: for invalid arguments, a rejected request, and a response that is too large
    """

    root: ClassVar[str] = ""
    """The common start of all paths of the API."""

    ending: ClassVar[str] = ""
    """The common end of all paths of the API: a slash, or nothing."""

    unsafe_gets: ClassVar[re.Pattern[str]] = re.compile(r"(?!)")
    """The paths of GETs with side effects."""

    template_fields: Sequence[str] = (
        "path",
        "method",
        "query",
        "json",
        "output_uri",
        "max_size",
        "confirm",
        "idempotent",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"query": "json", "json": "json"}

    def __init__(
        self,
        *,
        path: str,
        method: str = "GET",
        query: Mapping[str, Any] | str | None = None,
        json: Any = None,
        output_uri: str | Path | None = None,
        max_size: int | str | None = None,
        confirm: bool | str = False,
        idempotent: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path, self.method, self.query, self.json = path, method, query, json
        self.output_uri, self.max_size = output_uri, max_size
        self.confirm, self.idempotent = confirm, idempotent

    def call(self, request: Request) -> Flow[Any]:
        """Return the flow that sends the request and returns the response without its envelope.

        :param request: the request
        """
        raise NotImplementedError

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        if self._method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, not {self.method!r}")
        if self._json is not None and self._method == "GET":
            raise ValueError("json: a GET has no body; use query")
        self._request()  # checks most of the rest
        self._is_idempotent()
        is_destructive = self._method == "DELETE" or self._is_unsafe_get()
        parse_bool("confirm", self.confirm)
        if is_destructive:
            require_confirm(self.confirm, f"{self._method} {self._path} changes or deletes data permanently")

    def submit(self, context: Context) -> Any:
        """Send the request.

        :param context: the context of the task
        """
        publish_link(context, self.hook.settings.address.base_url)
        response = self._send_once(context) if self._is_write() and not self._is_idempotent() else self._send()
        return response if self._output_uri else self._require_small(response)

    def _send(self) -> Any:
        output_uri = self._output_uri
        if output_uri is None:
            return self.hook.run(self.call(self._request()))
        self.hook.run(_save(self._request()))
        record_output(self.hook, output_uri)
        return SavedResponse(output_uri=output_uri, size=resolve_path(output_uri).stat().st_size)

    def _send_once(self, context: Context) -> Any:
        """Send a write that must not take effect twice; fail if an earlier try may have carried it out."""
        if is_previous_attempt_unknown(context):
            raise PermanentError(f"{self._method} {self._path}: an earlier try may have done it. {ADVICE}")
        save_job_state(context, None)
        try:
            response = self._send()
        except (OutcomeUnknownError, ServerError) as error:
            raise PermanentError(f"{error}. It may be done all the same. {ADVICE}") from error
        except SelfHostedError:
            clear_job_state(context)  # it was rejected, or did not reach the server
            raise
        clear_job_state(context)
        return response

    def _require_small(self, response: Any) -> Any:
        size = len(json_format.dumps(response))
        if size > MAX_RESULT_BYTES:
            done = "it was done, but the response" if self._is_write() else "the response"
            raise PermanentError(
                f"{self._method} {self._path}: {done} has {size} bytes, more than a result may have "
                f"({MAX_RESULT_BYTES}): set output_uri"
            )
        return response

    def _request(self) -> Request:
        output_uri = self._output_uri
        return Request(
            self._method,
            self._path,
            parse_object("query", self.query),
            json=UNSET if self._json is None else self._json,
            save_to=(lambda: atomic_writer(output_uri)) if output_uri else None,
            max_size=parse_max_size(self.max_size),
            long_running=True,
            idempotent=self._is_idempotent() if self._is_write() else True,
        )

    @cached_property
    def _method(self) -> str:
        return parse_text("method", self.method).upper()

    @cached_property
    def _json(self) -> Any:
        return parse_json("json", self.json)

    @cached_property
    def _output_uri(self) -> str | None:
        return parse_optional_uri("output_uri", self.output_uri)

    @cached_property
    def _path(self) -> str:
        """The whole path. It never leads out of the API."""
        path = parse_text("path", self.path)
        if not path.strip("/"):
            raise ValueError(f"path must be a path of the product's API, not {self.path!r}")
        segments = path.removeprefix("/").removesuffix("/").split("/")
        for segment in segments:
            if not SEGMENT.fullmatch(segment) or {".", ".."} & set(re.split(r"[/\\]", unquote(segment))):
                raise ValueError(
                    f"path must be made of names with a slash between them, not {self.path!r}: without an address, a "
                    "query or '..', and percent-encoded as urllib.parse.quote does"
                )
        own = "/" + "/".join(segments)
        begun = own if own.startswith(f"{self.root}/") else self.root + own
        return begun + self.ending

    def _is_write(self) -> bool:
        return self._method != "GET" or self._is_unsafe_get()

    def _is_unsafe_get(self) -> bool:
        return self._method == "GET" and bool(self.unsafe_gets.fullmatch(unquote(self._path)))

    def _is_idempotent(self) -> bool:
        return parse_bool("idempotent", self.idempotent)


def _save(request: Request) -> Flow[None]:
    yield request
