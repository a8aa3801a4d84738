"""Searching, into a task's result or into a file of any length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.core.arguments import checked_flag, checked_number, checked_texts
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import ProductOperator, publish_link
from self_hosted.core.storage import check_output, note_written, write_json_lines

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
else:
    api = when_used("self_hosted.assemblyline.api")

IN_RESULT, MOST_IN_RESULT = 100, 1000


class AssemblylineSearchOperator(ProductOperator):
    """Searches an index, and writes what is found to a file or returns it; ``POST /api/v4/search/<index>/``.

    However much is found, a page of 500 is held in memory at a time. All of it is as it was when the search began. A
    file is there once all of it is written, and replaces what was there.

    :param index: alert, badlist, file, heuristic, result, retrohunt, safelist, signature, submission or workflow
    :param query: in Lucene's language; what comes from outside belongs between quotation marks, with a backslash before
        each quotation mark and backslash in it (`self_hosted.assemblyline.api.phrase` does both). AND and OR belong
        between parentheses where they meet
    :param filters: a query, or several, all of which must fit besides
    :param fields: names of fields, as a list or with commas between them; without it only those come back that the
        index stores: of a submission neither files nor metadata
    :param sort: such as "max_score desc, sid asc"; by default the newest first
    :param output_file: path or URI of object storage to write to, one JSON object a line; without it the rows are in
        the result
    :param limit: how many rows at most; by default all with ``output_file``, else 100 and never more than 1000
    :param use_archive: look into the archive as well, which needs the role archive_view
    :param assemblyline_conn_id: the connection

    The result is ``{index, count, more, url}`` and ``output_file`` or ``rows``; ``more`` says that the search finds
    more than the limit, ``url`` is the search's page.

    :raises AirflowFailException: for wrong arguments and what Assemblyline refuses
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)
    template_fields: Sequence[str] = (
        "index",
        "query",
        "filters",
        "fields",
        "sort",
        "output_file",
        "limit",
        "use_archive",
        "assemblyline_conn_id",
    )

    def __init__(
        self,
        *,
        index: str,
        query: str,
        filters: str | list[str] | None = None,
        fields: str | list[str] | None = None,
        sort: str | None = None,
        output_file: str | None = None,
        limit: int | str | None = None,
        use_archive: bool | str = False,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.index, self.query, self.filters = index, query, filters
        self.fields, self.sort = fields, sort
        self.output_file, self.limit, self.use_archive = output_file, limit, use_archive
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        check_output("output_file", self.output_file)
        limit = self._limit()
        if not self.output_file and limit and limit > MOST_IN_RESULT:
            raise ValueError(
                f"limit must be {MOST_IN_RESULT} or less without output_file: give output_file for more rows"
            )
        api.search_all(self.index, self._wanted())

    def start(self, context: Context) -> dict[str, Any]:
        """Search, and write what is found as it comes."""
        url = api.search_url(self.hook.settings.address.base_url, self.index, self.query)
        publish_link(context, url)
        found = api.search_all(self.index, self._wanted()).items(self.hook.run)
        limited = islice(found, self._limit())
        kept = self._written(limited) if self.output_file else self._listed(limited)
        more = next(found, None) is not None
        return {"index": self.index, **kept, "more": more, "url": url}

    def _written(self, rows: Iterator[dict[str, Any]]) -> dict[str, Any]:
        count = write_json_lines(str(self.output_file), rows)
        note_written(self.hook, str(self.output_file))
        self.log.info("Wrote %s rows to %s", count, self.output_file)
        return {"count": count, "output_file": str(self.output_file)}

    def _listed(self, rows: Iterator[dict[str, Any]]) -> dict[str, Any]:
        listed = list(rows)
        return {"count": len(listed), "rows": listed}

    def _limit(self) -> int | None:
        if self.limit is None or not str(self.limit):
            return None if self.output_file else IN_RESULT
        return checked_number("limit", self.limit)

    def _wanted(self) -> dict[str, Any]:
        fields = ",".join(checked_texts("fields", self.fields)).replace(" ", "")
        wanted = {
            "query": self.query,
            "filters": checked_texts("filters", self.filters),
            "fl": fields,
            "sort": self.sort,
            "use_archive": checked_flag("use_archive", self.use_archive),
            "rows": min(api.PAGE, (self._limit() or api.PAGE) + 1),  # one more tells whether there is more
        }
        return {name: value for name, value in wanted.items() if value or name == "query"}
