"""A submission: its document and its progress."""

from __future__ import annotations

import json
import math
import secrets
import string
import time
from collections.abc import Mapping
from typing import Any

from self_hosted.sandbox.assemblyline.analysis.result_documents import get_keys
from self_hosted.sandbox.assemblyline.analysis.results import AnalysisResult
from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.dates import get_current_time
from self_hosted.sandbox.assemblyline.submissions.parameters import build_params, flatten_metadata

BASE_62 = string.digits + string.ascii_letters
ID_LENGTH = 22
MAX_INGEST_PRIORITY, MAX_INGEST_EXTRACTED = 250, 100
TABLE_COLUMNS = ("sid", "state", "max_score", "file_count", "error_count")


class Submission:
    """A submission.

    :param name: name of the file
    :param options: options of the request, with ``metadata`` and ``params``
    :param user: submitter
    :param analysis: result of the analysis, which the document contains after completion
    """

    def __init__(self, name: str, options: Mapping[str, Any], user: str, analysis: AnalysisResult) -> None:
        self.sid, self.ingest_id = _create_id(), ""
        self.options, self.analysis = options, analysis
        self.is_queued = False  # for a paused dispatcher
        self.completed_at = math.inf
        params = build_params(options.get("params"), user, name)
        self._document: dict[str, Any] = {
            "sid": self.sid,
            "state": "submitted",
            "classification": params["classification"],
            "max_score": 0,
            "file_count": 1,
            "error_count": 0,
            "files": [{"name": name, "sha256": analysis.sha256, "size": analysis.size}],
            "results": [],
            "errors": [],
            "metadata": flatten_metadata(options.get("metadata")),
            "params": params,
            "times": {"submitted": get_current_time(), "completed": None},
            "to_be_deleted": False,
            "verdict": {"malicious": [], "non_malicious": []},
        }

    def convert_to_ingest(self) -> None:
        """Change parameters and metadata as the server does for an ingest."""
        self.ingest_id = _create_id()
        params, metadata = self.params, self._document["metadata"]
        params["type"] = (self.options.get("params") or {}).get("type") or self.options.get("type") or "INGEST"
        params["description"] = f"[{params['type']}] {params['description']}"
        params["priority"] = min(params["priority"], MAX_INGEST_PRIORITY)
        params["max_extracted"] = params["max_supplementary"] = MAX_INGEST_EXTRACTED
        metadata.update(ingest_id=self.ingest_id, type=params["type"], ts=metadata.get("ts", get_current_time()))

    def queue(self, index_lag: float) -> None:
        """Store the submission without starting the analysis.

        :param index_lag: seconds until searches find it
        """
        self.start(math.inf, index_lag)
        self.is_queued = True

    def start(self, delay: float, index_lag: float) -> None:
        """Start the analysis.

        :param delay: duration in seconds, in addition to the duration that the file requires
        :param index_lag: seconds until searches find the submission
        """
        self.is_queued = False
        self.completed_at = time.time() + delay + self.analysis.seconds
        self.indexed_at = time.time() + index_lag
        self.initial_document = dict(self._document)

    def cancel(self) -> None:
        """Delete a running submission. It is hidden until the service completes, and then has no results."""
        self.analysis.scores = {self.analysis.sha256: 0}
        self._document["to_be_deleted"] = True

    @property
    def params(self) -> dict[str, Any]:
        """The parameters."""
        return self._document["params"]  # type: ignore[no-any-return]

    @property
    def sha256(self) -> str:
        """The hash of the file."""
        return self.analysis.sha256

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._document["files"][0]["name"]  # type: ignore[no-any-return]

    def is_deletable_by(self, session: Session) -> bool:
        """Return whether a user may delete the submission: the submitter and administrators may."""
        return session.user == self.params["submitter"] or "administration" in session.roles

    @property
    def exists(self) -> bool:
        """Whether the API shows the submission; it hides a deleted one that is still running."""
        return self.is_completed or not self._document["to_be_deleted"]

    @property
    def is_completed(self) -> bool:
        """Whether the analysis is completed."""
        return time.time() >= self.completed_at

    @property
    def is_indexed(self) -> bool:
        """Whether searches find the submission."""
        return time.time() >= self.indexed_at

    @property
    def document(self) -> dict[str, Any]:
        """The current document. The states are "submitted" and "completed"; a failure does not change them."""
        if self.is_completed and self._document["state"] == "submitted":
            results, errors = get_keys(self.analysis)
            self._document.update(
                state="completed",
                max_score=self.analysis.max_score,
                file_count=len(self.analysis.scores),
                error_count=self.analysis.error_count,
                results=results,
                errors=errors,
                times={**self._document["times"], "completed": get_current_time()},
            )
        return self._document

    def build_row(self) -> dict[str, Any]:
        """Return the row for the page of the sandbox."""
        row = {column: self.document[column] for column in TABLE_COLUMNS}
        return {**row, "name": self.name, "size": self.analysis.size, "metadata": json.dumps(self.document["metadata"])}


def _create_id() -> str:
    return "".join(secrets.choice(BASE_62) for _ in range(ID_LENGTH))
