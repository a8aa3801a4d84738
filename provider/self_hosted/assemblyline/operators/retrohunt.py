"""Run a retrohunt: a YARA rule on all files that the server still has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.core.arguments import parse_int, parse_text, require_one_of
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.back_link import BackLinkingOperator
from self_hosted.core.tasks.job_state import build_fingerprint
from self_hosted.core.tasks.lineage import record_input, record_output
from self_hosted.core.tasks.operator import idempotency_key, publish_link
from self_hosted.core.tasks.storage import parse_uri, resolve_path, write_json_lines
from self_hosted.core.tasks.waiting_operator import WaitingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.retrohunts import retrohunts, starts
    from self_hosted.core.wait.observation import Observation
else:
    retrohunts = lazy_import("self_hosted.assemblyline.api.retrohunts.retrohunts")
    starts = lazy_import("self_hosted.assemblyline.api.retrohunts.starts")

log = get_logger(__name__)

PAGE_SIZE = 1000


class SubmittedRetrohunt(TypedDict):
    """A retrohunt that was started.

    :param key: its key
    """

    key: str


class StartedRetrohunt(TypedDict):
    """The result of a task that does not wait; as an argument ``key`` it fits the sensor.

    :param key: its key
    :param finished: False
    :param url: page of the retrohunt
    """

    key: str
    finished: bool
    url: str


class RetrohuntHit(TypedDict):
    """A file that the rule matches.

    :param sha256: its hash
    :param size: in bytes
    :param type: Assemblyline's type of the file
    """

    sha256: str | None
    size: int | None
    type: str | None


class RetrohuntResult(TypedDict):
    """The result of a retrohunt.

    :param key: its key
    :param finished: whether it searched all files
    :param total_hits: how many files the rule matches
    :param total_errors: how many files could not be searched
    :param truncated: whether the server stopped counting
    :param hits: some of the files
    :param output_uri: path or URI of the file with all hits, or None
    :param url: page of the retrohunt
    """

    key: str
    finished: bool
    total_hits: int
    total_errors: int
    truncated: bool
    hits: list[RetrohuntHit]
    output_uri: str | None
    url: str


class AssemblylineRetrohuntOperator(BackLinkingOperator, AssemblylineOperator, WaitingOperator):
    """Runs a YARA rule on all files that the server still has, and waits for the hits; ``PUT /api/v4/retrohunt/``.

    The task starts one retrohunt, regardless of the number of tries: its idempotency key ends the retrohunt's
    description, and each try searches for it first. A retrohunt cannot be cancelled; it goes on if its task is killed.

    :param yara_signature: text of one or more rules; either this or ``file``
    :param file: path or URI of a file with them
    :param description: the purpose of the retrohunt; the task is added (``back_link``)
    :param indices: "hot", "archive" or "hot_and_archive" (default)
    :param classification: of the retrohunt; default: the lowest
    :param search_classification: the highest classification of the searched files; default: the highest that the user
        may see
    :param ttl: days until the server deletes the result; default: 0, the server's setting
    :param sample_size: how many hits the result lists, at most 1000; default: 10
    :param output_uri: path or URI of a file for all hits: one JSON object per line, with all that the server knows of
        the file. The server shows at most 10,000
    :param assemblyline_conn_id: the Airflow connection
    :return: `RetrohuntResult`; with ``wait_for_completion=False``, `StartedRetrohunt`
    :raises AirflowFailException: for invalid arguments, a rule that the server cannot compile, and a server without
        retrohunt
    """

    wait_spec: ClassVar[str] = "self_hosted.assemblyline.waits.RETROHUNT"
    template_fields: Sequence[str] = (
        *AssemblylineOperator.template_fields,
        *WaitingOperator.template_fields,
        *BackLinkingOperator.template_fields,
        "yara_signature",
        "file",
        "description",
        "indices",
        "classification",
        "search_classification",
        "ttl",
        "sample_size",
        "output_uri",
    )

    def __init__(
        self,
        *,
        description: str,
        yara_signature: str | None = None,
        file: str | Path | None = None,
        indices: str = "hot_and_archive",
        classification: str | None = None,
        search_classification: str | None = None,
        ttl: int | str = 0,
        sample_size: int | str = 10,
        output_uri: str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.description, self.yara_signature, self.file = description, yara_signature, file
        self.indices, self.classification, self.search_classification = indices, classification, search_classification
        self.ttl, self.sample_size, self.output_uri = ttl, sample_size, output_uri

    def validate(self) -> None:
        """Check the arguments, and the rule.

        :raises ValueError: naming the argument
        """
        if not self.text("description"):
            raise ValueError("description is missing: describe what the rule looks for")
        self._sample_size()
        self.uri("output_uri")
        starts.check_arguments(self._rule(), self._options())

    def fingerprint(self) -> str:
        """Return a digest of what affects the hits: the rule, and where it is searched."""
        return build_fingerprint([self._rule(), self.indices, self.text("search_classification")])

    def submit(self, context: Context) -> SubmittedRetrohunt:
        """Start the retrohunt, or find the one of an earlier try.

        :param context: the context of the task
        """
        publish_link(context, f"{self.base_url}/retrohunt")
        if self.file:
            record_input(self.hook, parse_uri("file", self.file))
        own = starts.OwnRetrohunt(idempotency_key(context), self._rule(), self.indices)
        start = starts.start_unless_found(own, self._options(), previous_attempt_unknown=self.previous_attempt_unknown)
        key = str(self.hook.run(start)["key"])
        for reason in own.left_alone.values():
            log.warning("%s; this task uses %s", reason, key)
        return SubmittedRetrohunt(key=key)

    def external_id(self, submitted: SubmittedRetrohunt) -> str | None:
        """Return the retrohunt's key.

        :param submitted: the result of `submit`
        """
        return submitted["key"]

    def external_url(self, submitted: SubmittedRetrohunt) -> str:
        """Return the retrohunt's page.

        :param submitted: the result of `submit`
        """
        return retrohunts.build_page_url(self.base_url, submitted["key"])

    def external_asset(self, submitted: SubmittedRetrohunt) -> Sequence[str]:
        """Return type and key of the retrohunt.

        :param submitted: the result of `submit`
        """
        return "retrohunt", submitted["key"]

    def build_submitted_result(self, context: Context, submitted: SubmittedRetrohunt) -> StartedRetrohunt:
        """Return the result without a wait.

        :param context: the context of the task
        :param submitted: the result of `submit`
        """
        result = StartedRetrohunt(key=submitted["key"], finished=False, url=self.external_url(submitted))
        emit_asset(context, self.hook, asset_uri(self.hook, "retrohunt", result["key"]), result)
        return result

    def build_result(
        self, context: Context, submitted: SubmittedRetrohunt, observation: Observation
    ) -> RetrohuntResult:
        """Write all hits to the file, and return the counts and some hits.

        :param context: the context of the task
        :param submitted: the result of `submit`
        :param observation: the last observation
        """
        key = submitted["key"]
        document = self.hook.run(retrohunts.get(key))
        output_uri = self.uri("output_uri")
        if output_uri:
            write_json_lines(output_uri, self._list_hits(key))
            record_output(self.hook, output_uri)
        sample = self.hook.run(retrohunts.list_hits(key, rows=self._sample_size()))
        result = RetrohuntResult(
            key=key,
            finished=document["finished"],
            total_hits=observation.details["total_hits"],
            total_errors=document["total_errors"],
            truncated=observation.details["truncated"],
            hits=[
                RetrohuntHit(sha256=hit.get("sha256"), size=hit.get("size"), type=hit.get("type"))
                for hit in sample["items"]
            ],
            output_uri=output_uri,
            url=self.external_url(submitted),
        )
        details = {name: value for name, value in result.items() if name != "hits"}
        emit_asset(context, self.hook, asset_uri(self.hook, "retrohunt", key), details)
        return result

    def _list_hits(self, key: str) -> Iterator[dict[str, Any]]:
        for offset in range(0, retrohunts.MAX_HITS, PAGE_SIZE):
            items = self.hook.run(retrohunts.list_hits(key, rows=PAGE_SIZE, offset=offset))["items"]
            yield from items
            if len(items) < PAGE_SIZE:
                return

    def _sample_size(self) -> int:
        return parse_int("sample_size", self.sample_size, minimum=0, maximum=PAGE_SIZE)

    def _rule(self) -> str:
        rules = {"yara_signature": self.yara_signature or None, "file": self.file or None}
        if require_one_of(rules) == "yara_signature":
            return parse_text("yara_signature", self.yara_signature)
        path = resolve_path(parse_uri("file", self.file))
        if not path.is_file():
            raise ValueError(f"file: {self.file!r} does not exist")
        try:
            return str(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            raise ValueError(f"file: {self.file!r} is not a text in UTF-8") from None

    def _options(self) -> dict[str, Any]:
        return {
            "description": self.origin.append_to(self.text("description")) if self.origin else self.text("description"),
            "indices": self.text("indices"),
            "classification": self.text("classification"),
            "search_classification": self.text("search_classification"),
            "ttl": parse_int("ttl", self.ttl, minimum=0),
        }
