"""Files: records and results."""

from __future__ import annotations

from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.analysis.file_store import STATE_NAME, FileStore
from self_hosted.sandbox.assemblyline.analysis.files import AnalyzedFile
from self_hosted.sandbox.assemblyline.analysis.result_documents import CLASSIFICATION
from self_hosted.sandbox.assemblyline.analysis.summaries import build_file_summary
from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.configuration import get_thresholds
from self_hosted.sandbox.assemblyline.ports import Server
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.routing import route

VIEW = "submission_view"
NOT_FOUND = "This file does not exists"


class Files(Resource):
    """The files. The state is described in `FileStore.state`."""

    name: ClassVar[str] = STATE_NAME

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.store = FileStore(server)

    @classmethod
    def create_state(cls) -> dict[str, Any]:
        """Return no records and no purged files."""
        return {"records": {}, "purged": set()}

    def get_documents(self) -> dict[str, list[dict[str, Any]]]:
        """Return the records of all files."""
        return {"file": [self.store.get_record(file) for file in self.store.list_files().values()]}

    @route("GET", "/file/info/{sha256}/", role=VIEW)
    async def get_info(self, request: Request, session: Session) -> Any:
        """Return the record."""
        return self.store.get_record(self.store.get(request.path_params["sha256"], f"{NOT_FOUND}."))

    @route("GET", "/file/result/{sha256}/", role=VIEW)
    async def get_results(self, request: Request, session: Session) -> Any:
        """Return the results of all submissions."""
        file = self.store.get(request.path_params["sha256"], NOT_FOUND)
        return {
            **build_file_summary(file.score, get_thresholds(self.server.configuration)),
            "alternates": {},
            "childrens": [{"name": name, "sha256": sha256} for name, sha256 in file.children],
            "classification": CLASSIFICATION,
            "errors": [],
            "file_info": self.store.get_record(file),
            "file_viewer_only": True,
            "metadata": {},
            "parents": self.store.list_parents(file),
            "results": self._list_results(file),
        }

    @route("GET", "/file/result/{sha256}/{service}/", role=VIEW)
    async def get_results_of_service(self, request: Request, session: Session) -> Any:
        """Return the newest result of a service, or all of them; an unknown service has none."""
        file, service = self.store.get(request.path_params["sha256"], NOT_FOUND), request.path_params["service"]
        results = [
            result for result in self._list_results(file) if result["response"]["service_name"].startswith(service)
        ]
        record = self.store.get_record(file)
        return {"file_info": record, "results": results if "all" in request.query_params else results[:1]}

    @route("GET", "/file/score/{sha256}/", role=VIEW)
    async def get_score(self, request: Request, session: Session) -> Any:
        """Return the sum of the scores of all results."""
        file = self.store.get(request.path_params["sha256"], NOT_FOUND)
        results = self._list_results(file)
        return {
            "file_info": self.store.get_record(file),
            "result_keys": [result["id"] for result in results],
            "score": sum(result["result"]["score"] for result in results),
        }

    @route("GET", "/file/children/{sha256}/", role=VIEW)
    async def list_children(self, request: Request, session: Session) -> Any:
        """Return the files in a file."""
        file = self.store.get(request.path_params["sha256"], f"{NOT_FOUND}.")
        return [{"name": name, "sha256": sha256} for name, sha256 in dict.fromkeys(file.children)]

    def _list_results(self, file: AnalyzedFile) -> list[dict[str, Any]]:
        return [result for result in self.server.get_documents("result") if result["sha256"] == file.sha256]
