"""The files of the server: those that were submitted, and those that were in them."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.assemblyline.analysis.file_documents import build_file_record
from self_hosted.sandbox.assemblyline.analysis.files import AnalyzedFile
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.ports import Server

STATE_NAME = "files"
FILE_NOT_FOUND = "The file was not found in the system."
CONTENT_NOT_FOUND = "This file was not found in the system."


class FileStore:
    """Access to files, whose records are in the state of the server.

    :param server: owner of the state
    """

    def __init__(self, server: Server) -> None:
        self.server = server

    @property
    def state(self) -> dict[str, Any]:
        """Records of files by SHA-256, without the dates of submissions, and the hashes of files without content."""
        return self.server.state[STATE_NAME]  # type: ignore[no-any-return]

    def list_files(self) -> dict[str, AnalyzedFile]:
        """Return all files by SHA-256."""
        analyses = self.server.store.analyses.values()
        return {sha256: file for analysis in analyses for sha256, file in analysis.files.items()}

    def get(self, sha256: str, message: str = FILE_NOT_FOUND) -> AnalyzedFile:
        """Return a file.

        :param sha256: hash of the file
        :param message: error message
        :raises ApiError: if there is none
        """
        file = self.list_files().get(sha256)
        if file is None:
            raise ApiError(404, message, {})
        return file

    def get_content(self, file: AnalyzedFile, message: str = CONTENT_NOT_FOUND) -> bytes:
        """Return the content of a file.

        :param file: the file
        :param message: error message
        :raises ApiError: if it was purged, or is too large to be stored
        """
        if file.content is None or file.sha256 in self.state["purged"]:
            raise ApiError(404, message, {})
        return file.content

    def get_record(self, file: AnalyzedFile) -> dict[str, Any]:
        """Return the record of a file, with the dates of its submissions."""
        if file.sha256 not in self.state["records"]:
            self.state["records"][file.sha256] = build_file_record(file)
        record = self.state["records"][file.sha256]
        return {**record, "seen": self.server.store.files.get(file.sha256, record)["seen"]}

    def list_parents(self, file: AnalyzedFile) -> list[str]:
        """Return the hashes of the files that contain a file."""
        files = self.list_files().values()
        return [other.sha256 for other in files if file.sha256 in {child for _, child in other.children}]
