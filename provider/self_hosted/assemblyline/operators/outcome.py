"""What became of many files: counts, the worst of them, and whether they are to fail the task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from self_hosted.core.errors import Final, ProductError
from self_hosted.core.lazy import when_used

if TYPE_CHECKING:
    from self_hosted.assemblyline import api
else:
    api = when_used("self_hosted.assemblyline.api")

TOLD = 10  # files that are named in a result, a log or an error; the report names all


class BatchOutcome:
    """What became of many files.

    :param rows: of each ``file`` and either ``skipped``, ``error`` or what its submission came to
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = rows
        self.failed = [row for row in rows if "error" in row]
        self.completed = [row for row in rows if "verdict" in row]
        self.worst = max(self.completed, key=lambda row: row["max_score"], default=None)

    @property
    def result(self) -> dict[str, Any]:
        """{total, completed, skipped, failed, failures, verdicts, with_failed_services, worst}, all of it small."""
        skipped = sum("skipped" in row for row in self.rows)
        verdicts = Counter(row["verdict"] for row in self.completed)
        return {
            "total": len(self.rows),
            "completed": len(self.completed),
            "skipped": skipped,
            "failed": len(self.failed),
            "failures": [{"file": row["file"], "error": row["error"]} for row in self.failed[:TOLD]],
            "verdicts": {name: verdicts[name] for name in ("safe", *api.VERDICTS)},
            "with_failed_services": sum(bool(row["error_count"]) for row in self.completed),
            "worst": self.worst,
        }

    def warn(self, log: Any) -> None:
        """Name in the task's log what was skipped, what failed, and verdicts that may be too good.

        :param log: of the task
        """
        skipped = [f"{row['file']} {row['skipped']}" for row in self.rows if "skipped" in row]
        failed = [f"{row['file']}: {row['error']}" for row in self.failed]
        doubtful = [f"{row['file']}: {row['url']}" for row in self.completed if row["error_count"]]
        for what, files in (("Skipped", skipped), ("Failed", failed), ("Analysed while services failed", doubtful)):
            if files:
                log.warning("%s, %s files: %s", what, len(files), some_of(files))

    def judge(self, fail_on_score: int | str | None, fail_on_verdict: str | None) -> None:
        """Compare the worst with what the task is to fail on.

        :param fail_on_score: the least score to fail on
        :param fail_on_verdict: the mildest verdict to fail on
        :raises Final: when it reached one of them
        """
        if self.worst:
            try:
                api.judged({"state": "completed", **self.worst}, self.worst["url"], fail_on_score, fail_on_verdict)
            except Final as error:
                raise Final(f"{self.worst['file']}, the worst of {len(self.completed)} files: {error}") from None

    def error(self, *, final: bool) -> ProductError:
        """The error that some files failed.

        :param final: whether no retry would mend it
        """
        told = some_of([f"{row['file']}: {row['error']}" for row in self.failed])
        return (Final if final else ProductError)(f"{len(self.failed)} of {len(self.rows)} files failed: {told}")


def some_of(files: Sequence[str]) -> str:
    """The first of many words about files, and how many more there are.

    :param files: one text for each
    """
    more = f"; and {len(files) - TOLD} more" if len(files) > TOLD else ""
    return "; ".join(files[:TOLD]) + more
