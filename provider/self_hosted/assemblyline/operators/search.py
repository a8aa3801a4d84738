"""Search an index: a few rows as the result, or any number of rows in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.core.arguments import is_set, parse_bool, parse_int, parse_str_list, parse_text
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri
from self_hosted.core.tasks.lineage import record_input, record_output
from self_hosted.core.tasks.operator import publish_link
from self_hosted.core.tasks.storage import write_json_lines

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.search import search
else:
    search = lazy_import("self_hosted.assemblyline.api.search.search")

DEFAULT_ROWS, MAX_ROWS = 100, 1000  # in a result; a file takes any number


log = get_logger(__name__)


class _Rows(TypedDict, total=False):
    rows: list[dict[str, Any]]
    output_uri: str


class SearchRows(_Rows):
    """The result of a search.

    :param index: name of the index
    :param count: how many rows
    :param more: whether the search finds more than the limit
    :param url: page of the search
    :param rows: the documents; absent with ``output_uri``
    :param output_uri: path or URI of the file; absent without it
    """

    index: str
    count: int
    more: bool
    url: str


class AssemblylineSearchOperator(AssemblylineOperator):
    """Searches an index, and returns the matches or writes them to a file; ``POST /api/v4/search/<index>/``.

    One page of 500 rows is held in memory at a time. All rows are of the time at which the search began. A file appears
    once it is complete, and replaces an existing one.

    :param index: alert, badlist, file, heuristic, result, retrohunt, safelist, signature, submission or workflow
    :param query: a Lucene query, or the path of a file with it that ends in ``.lucene``. Combine AND and OR with
        parentheses. `self_hosted.assemblyline.api.search.lucene.quote` escapes external values
    :param filters: a query, or a list of queries, all of which must match as well
    :param fields: names of fields, as a list or comma-separated; default: the fields that the index stores, which for a
        submission are neither files nor metadata
    :param sort: such as "max_score desc, sid asc"; default: newest first
    :param output_uri: path or URI of a file for the rows, one JSON object per line; default: the rows are in the result
    :param limit: the maximum number of rows; default: all with ``output_uri``, else 100. The maximum in a result is
        1000
    :param use_archive: whether to search the archive, too, which needs the role archive_view; default: False
    :param assemblyline_conn_id: the Airflow connection
    :return: `SearchRows`
    :raises AirflowFailException: for invalid arguments, and a rejected query
    """

    template_fields: Sequence[str] = (
        *AssemblylineOperator.template_fields,
        "index",
        "query",
        "filters",
        "fields",
        "sort",
        "output_uri",
        "limit",
        "use_archive",
    )
    template_ext: Sequence[str] = (".lucene",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"filters": "json", "fields": "json"}

    def __init__(
        self,
        *,
        index: str,
        query: str,
        filters: str | Sequence[str] | None = None,
        fields: str | Sequence[str] | None = None,
        sort: str | None = None,
        output_uri: str | Path | None = None,
        limit: int | str | None = None,
        use_archive: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.index, self.query, self.filters = index, query, filters
        self.fields, self.sort = fields, sort
        self.output_uri, self.limit, self.use_archive = output_uri, limit, use_archive

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        self.uri("output_uri")
        limit = self._max_rows()
        if not self.uri("output_uri") and limit and limit > MAX_ROWS:
            raise ValueError(f"limit must be {MAX_ROWS} or less without output_uri, not {limit}: set output_uri")
        search.find_all(str(self.index), self._arguments())

    def submit(self, context: Context) -> SearchRows:
        """Search, and write the rows as they arrive.

        :param context: the context of the task
        """
        url = search.build_page_url(self.base_url, self.index, parse_text("query", self.query))
        publish_link(context, url)
        record_input(self.hook, asset_uri(self.hook, self.index))
        found = search.find_all(self.index, self._arguments()).iterate(self.hook.run)
        rows = islice(found, self._max_rows())
        output_uri = self.uri("output_uri")
        if output_uri:
            count = self._write(output_uri, rows)
            content = _Rows(output_uri=output_uri)
        else:
            content = _Rows(rows=list(rows))
            count = len(content["rows"])
        return SearchRows(index=self.index, count=count, more=next(found, None) is not None, url=url, **content)

    def _write(self, uri: str, rows: Iterator[dict[str, Any]]) -> int:
        count = write_json_lines(uri, rows)
        record_output(self.hook, uri, count)
        log.info("Wrote %s rows to %s", count, uri)
        return count

    def _max_rows(self) -> int | None:
        if not is_set(self.limit):
            return None if self.uri("output_uri") else DEFAULT_ROWS
        return parse_int("limit", self.limit)

    def _arguments(self) -> dict[str, Any]:
        arguments = {
            "query": parse_text("query", self.query),
            "filters": parse_str_list("filters", self.filters),
            "fl": ",".join(parse_str_list("fields", self.fields)).replace(" ", ""),
            "sort": self.text("sort"),
            "use_archive": parse_bool("use_archive", self.use_archive),
            # one row beyond the limit shows whether there are more
            "rows": min(search.PAGE_SIZE, (self._max_rows() or search.PAGE_SIZE) + 1),
        }
        return {name: value for name, value in arguments.items() if value or name == "query"}
