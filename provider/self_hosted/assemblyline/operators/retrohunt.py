"""A retrohunt: a new YARA rule, tried on all files that the server still has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.core.arguments import checked_number
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import round_key
from self_hosted.core.storage import check_output, note_read, note_written, path_of, write_json_lines
from self_hosted.core.waiting import WaitingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
    from self_hosted.core.question import Seen
else:
    api = when_used("self_hosted.assemblyline.api")

PAGE = 1000
SAMPLE = ("sha256", "size", "type")


class AssemblylineRetrohuntOperator(WaitingOperator):
    """Tries a YARA rule on all files that the server still has, and waits for the hits; ``PUT /api/v4/retrohunt/``.

    However often the task is tried, it starts one retrohunt: the task's key ends the retrohunt's description, and is
    looked for first. Nothing can stop a retrohunt, so that one whose task is killed goes on.

    :param yara_signature: the text of a rule, or of several; either this or ``file``
    :param file: path of a file with it, local or in an object store
    :param description: what the rule looks for
    :param indices: "hot", "archive" or "hot_and_archive"
    :param classification: of the retrohunt; by default the lowest
    :param search_classification: of the files that it looks at, at most; by default the highest the user may see
    :param ttl: days that the server keeps the result; by default as it is set to
    :param sample: how many hits the result shows
    :param output_file: path of a file that gets all hits, one JSON object a line: what the server knows of each file.
        It shows 10,000 at most
    :param assemblyline_conn_id: the connection

    The result is ``{key, finished, total_hits, total_errors, truncated, hits, output_file, url}``; ``hits`` are some of
    the files as ``{sha256, size, type}``, and ``truncated`` says that the server stopped to count.

    :raises AirflowFailException: for wrong arguments, a rule that the server cannot read, a server
        without retrohunt
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    question: ClassVar[str] = "self_hosted.assemblyline.triggers.RETROHUNT"
    operator_extra_links = (AssemblylineLink(),)
    template_fields: Sequence[str] = (
        "yara_signature",
        "file",
        "description",
        "indices",
        "classification",
        "search_classification",
        "ttl",
        "sample",
        "output_file",
        "assemblyline_conn_id",
    )

    def __init__(
        self,
        *,
        description: str,
        yara_signature: str | None = None,
        file: str | None = None,
        indices: str = "hot_and_archive",
        classification: str | None = None,
        search_classification: str | None = None,
        ttl: int | str = 0,
        sample: int | str = 10,
        output_file: str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.description, self.yara_signature, self.file = description, yara_signature, file
        self.indices, self.classification, self.search_classification = indices, classification, search_classification
        self.ttl, self.sample, self.output_file = ttl, sample, output_file
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments, read the rule."""
        if checked_number("sample", self.sample, least=0) > PAGE:
            raise ValueError(f"sample must be {PAGE} or less; output_file takes all hits")
        check_output("output_file", self.output_file)
        api.check_retrohunt(self._rule(), self._options())

    def start(self, context: Context) -> dict[str, Any]:
        """Start the retrohunt, or find it started."""
        if self.file:
            note_read(self.hook, str(self.file))
        tag = round_key(context)
        start = api.start_retrohunt_once(self._rule(), self._options(), tag, interrupted=self.interrupted)
        started = self.hook.run(start)
        self.log.info("Waiting for retrohunt %s", started["key"])
        return {"key": started["key"]}

    def key_of(self, started: dict[str, Any]) -> str | None:
        """The retrohunt's key."""
        return str(started["key"])

    def page_of(self, started: dict[str, Any]) -> str:
        """The retrohunt's page."""
        return api.retrohunt_page(self.hook.settings.address.base_url, started["key"])

    def finish(self, context: Context, started: dict[str, Any], seen: Seen) -> dict[str, Any]:
        """Numbers, a sample, and all hits in a file."""
        key = started["key"]
        document = self.hook.run(api.retrohunt(key))
        if self.output_file:
            write_json_lines(self.output_file, self._hits(key))
            note_written(self.hook, self.output_file)
        some = self.hook.run(api.retrohunt_hits(key, rows=checked_number("sample", self.sample, least=0)))
        return {
            "key": key,
            "finished": document["finished"],
            "total_hits": seen.facts["total_hits"],
            "total_errors": document["total_errors"],
            "truncated": seen.facts["truncated"],
            "hits": [{name: one.get(name) for name in SAMPLE} for one in some["items"]],
            "output_file": self.output_file,
            "url": self.page_of(started),
        }

    def _hits(self, key: str) -> Iterator[dict[str, Any]]:
        for offset in range(0, api.MOST_HITS, PAGE):
            items = self.hook.run(api.retrohunt_hits(key, rows=PAGE, offset=offset))["items"]
            yield from items
            if len(items) < PAGE:
                return

    def _rule(self) -> str:
        if bool(self.yara_signature) == bool(self.file):
            raise ValueError("give either yara_signature or file, exactly one of them")
        if not self.file:
            return str(self.yara_signature)
        path = path_of(str(self.file))
        if not path.is_file():
            raise ValueError(f"file: there is no file {self.file!r}")
        try:
            return str(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            raise ValueError(f"file: {self.file!r} is no text in UTF-8") from None

    def _options(self) -> dict[str, Any]:
        return {
            "description": self.description,
            "indices": self.indices,
            "classification": self.classification or None,
            "search_classification": self.search_classification or None,
            "ttl": checked_number("ttl", self.ttl, least=0),
        }
