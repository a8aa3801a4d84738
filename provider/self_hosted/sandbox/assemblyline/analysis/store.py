"""The results and errors of all submissions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from self_hosted.sandbox.assemblyline.analysis.result_documents import (
    build_error,
    build_result,
    get_error_key,
    get_result_key,
)
from self_hosted.sandbox.assemblyline.ports import Server
from self_hosted.sandbox.assemblyline.submissions.submission import Submission

STATE_NAME = "results"
Documents = dict[str, dict[str, Any]]


class ResultStore:
    """Access to results and errors, which are in the state of the server.

    :param server: owner of the state
    """

    def __init__(self, server: Server) -> None:
        self.server = server

    @property
    def state(self) -> dict[str, tuple[Documents, Documents]]:
        """Results and errors by key, for each id of a submission that was completed at the last access."""
        return self.server.state[STATE_NAME]  # type: ignore[no-any-return]

    def list_results(self, sid: str | None = None) -> Documents:
        """Return the results by key.

        :param sid: id of a submission; None for all
        """
        return {key: result for results, _ in self._iterate(sid) for key, result in results.items()}

    def list_errors(self, sid: str | None = None) -> Documents:
        """Return the errors by key.

        :param sid: id of a submission; None for all
        """
        return {key: error for _, errors in self._iterate(sid) for key, error in errors.items()}

    def _iterate(self, sid: str | None) -> Iterator[tuple[Documents, Documents]]:
        for submission in self.server.store.list_existing():
            if sid in {None, submission.sid} and submission.is_completed:
                if submission.sid not in self.state:
                    self.state[submission.sid] = _build_documents(submission)
                yield self.state[submission.sid]


def _build_documents(submission: Submission) -> tuple[Documents, Documents]:
    created = submission.document["times"]["completed"]
    files = list(submission.analysis.iterate_files())
    results = {key: build_result(file, created) for file in files if (key := get_result_key(file))}
    errors = {key: build_error(file, created) for file in files if (key := get_error_key(file))}
    return results, errors
