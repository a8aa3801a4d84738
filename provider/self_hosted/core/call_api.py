"""What every product's general operator does: ask the API for whatever the other operators do not know.

A product's own says where its API lies, how its paths end, and which of its GETs change something.
"""

from __future__ import annotations

import json as json_format
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

from self_hosted.core.arguments import check_json, check_object, checked_flag
from self_hosted.core.errors import Broken, Final, ProductError, Uncertain
from self_hosted.core.flow import NOTHING, Flow, Request
from self_hosted.core.operator import ProductOperator, publish_link
from self_hosted.core.reattach import forget, remember, remembered
from self_hosted.core.storage import check_output, note_written, path_of, written

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SEGMENT = re.compile(r"(?:[\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+", re.ASCII)
LARGEST = 64 * 1024  # bytes of JSON that are still fit for an XCom


class ProductApiOperator(ProductOperator):
    """Asks a product's API for anything, with the connection's address, credential, retries and errors.

    :param path: below the product's API, with its variable parts percent-encoded; its beginning and its last slash,
        which all paths of the API have in common, may be left out
    :param method: GET, POST, PUT, PATCH or DELETE
    :param query: parameters by name; a list repeats the name, and None is left out
    :param json: the body, as plain JSON values; None for none
    :param output_file: path or URI of a file that the answer is written to, as it comes and whatever its size; for what
        is large or no JSON. Without, the answer is the result, and may have 64 KiB
    :param confirm: must be true for a DELETE, and for a GET that changes something
    :param repeatable: whether it does no harm to send what changes something twice. Unless it is true, a task whose
        answer was lost, or whose worker died meanwhile, fails for good instead of sending it again

    The result is the answer, or ``{output_file, size}``, in bytes.

    :raises AirflowFailException: for wrong arguments, what the product refuses, and an answer that is too large
    """

    root: ClassVar[str] = ""
    """What all paths of the API begin with."""

    ending: ClassVar[str] = ""
    """What all paths of the API end with: a slash, or nothing."""

    changing_gets: ClassVar[re.Pattern[str]] = re.compile(r"(?!)")
    """The paths of GETs that change something."""

    template_fields: Sequence[str] = ("path", "method", "query", "json", "output_file", "confirm", "repeatable")
    template_fields_renderers: ClassVar[dict[str, str]] = {"query": "json", "json": "json"}

    def __init__(
        self,
        *,
        path: str,
        method: str = "GET",
        query: dict[str, Any] | None = None,
        json: Any = None,
        output_file: str | None = None,
        confirm: bool | str = False,
        repeatable: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path, self.method, self.query, self.json = path, method, query, json
        self.output_file, self.confirm, self.repeatable = output_file, confirm, repeatable

    def asked(self, request: Request) -> Flow[Any]:
        """Send, and return what the product answers, without its envelope."""
        raise NotImplementedError

    def check(self) -> None:
        """Validate the arguments."""
        if str(self.method).upper() not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, not {self.method!r}")
        check_object("query", self.query)
        check_json("json", self.json)
        if self.json is not None and self._method == "GET":
            raise ValueError("json: a GET has no body; give query instead")
        check_output("output_file", self.output_file)
        self._request()
        surprises = self._method == "DELETE" or self._is_changing_get()
        if not checked_flag("confirm", self.confirm) and surprises:
            raise ValueError(f"confirm must be true: {self._method} {self._path} changes or removes something for good")

    def start(self, context: Context) -> Any:
        """Ask."""
        publish_link(context, self.hook.settings.address.base_url)
        answer = self._asked_once(context) if self._changes() and not self._is_repeatable() else self._asked()
        return answer if self.output_file else self._small(answer)

    def _asked(self) -> Any:
        if not self.output_file:
            return self.hook.run(self.asked(self._request()))
        self.hook.run(_saved(self._request()))
        note_written(self.hook, str(self.output_file))
        return {"output_file": str(self.output_file), "size": path_of(str(self.output_file)).stat().st_size}

    def _asked_once(self, context: Context) -> Any:
        """Ask for what must not be done twice: a try that cannot know what became of an earlier one gives up."""
        if self._may_be_done(context):
            raise Final(f"{self._method} {self._path}: an earlier try may have done it. {self._advice()}")
        remember(context, None)
        try:
            answer = self._asked()
        except (Uncertain, Broken) as error:
            raise Final(f"{error}. It may be done all the same. {self._advice()}") from error
        except ProductError:
            forget(context)  # it was refused, or did not get there
            raise
        forget(context)
        return answer

    @staticmethod
    def _may_be_done(context: Context) -> bool:
        if "task_state_store" in context:
            earlier = remembered(context)
            return earlier is not None and earlier.of_this_round
        return bool(context["ti"].try_number > 1)  # nothing tells

    @staticmethod
    def _advice() -> str:
        return "Look in the product; clear the task to ask again, or set repeatable=True where twice does no harm"

    def _small(self, answer: Any) -> Any:
        size = len(json_format.dumps(answer))
        if size > LARGEST:
            done = "it was done, but the answer" if self._changes() else "the answer"
            raise Final(
                f"{self._method} {self._path}: {done} has {size} bytes, too many for a result (up to {LARGEST}): "
                "set output_file to a file that it is written to"
            )
        return answer

    def _request(self) -> Request:
        return Request(
            self._method,
            self._path,
            self.query or {},
            json=NOTHING if self.json is None else self.json,
            save_to=(lambda: written(str(self.output_file))) if self.output_file else None,
            slow=True,
            repeatable=self._is_repeatable() if self._changes() else True,
        )

    @property
    def _method(self) -> str:
        return str(self.method).upper()

    @property
    def _path(self) -> str:
        """The whole path. It never leads out of the API."""
        if not isinstance(self.path, str) or not self.path.strip("/"):
            raise ValueError(f"path must be a path of the product's API, not {self.path!r}")
        segments = self.path.removeprefix("/").removesuffix("/").split("/")
        for segment in segments:
            if not SEGMENT.fullmatch(segment) or {".", ".."} & set(re.split(r"[/\\]", unquote(segment))):
                raise ValueError(
                    f"path must be made of names with a slash between them, not {self.path!r}: without an address, a "
                    "query or '..', and percent-encoded as urllib.parse.quote does"
                )
        own = "/" + "/".join(segments)
        begun = own if own.startswith(f"{self.root}/") else self.root + own
        return begun + self.ending

    def _changes(self) -> bool:
        return self._method != "GET" or self._is_changing_get()

    def _is_changing_get(self) -> bool:
        return self._method == "GET" and bool(self.changing_gets.fullmatch(unquote(self._path)))

    def _is_repeatable(self) -> bool:
        return checked_flag("repeatable", self.repeatable)


def _saved(request: Request) -> Flow[None]:
    yield request
