"""Results and errors of the service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.analysis.store import STATE_NAME, ResultStore
from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.ports import Server
from self_hosted.sandbox.assemblyline.request_parsing import read_json
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.routing import route

VIEW = "submission_view"


class Results(Resource):
    """The results and errors. The state is described in `ResultStore.state`."""

    name: ClassVar[str] = STATE_NAME

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.store = ResultStore(server)

    def get_documents(self) -> dict[str, list[dict[str, Any]]]:
        """Return results and errors. Empty results are in another index, which the fake server lacks."""
        results, errors = self.store.list_results(), self.store.list_errors()
        return {
            "result": [{**result, "id": key} for key, result in results.items() if not key.endswith(".e")],
            "error": [{**error, "id": key} for key, error in errors.items()],
        }

    @route("POST", "/result/multiple_keys/", role=VIEW)
    async def get_many(self, request: Request, session: Session) -> Any:
        """Return results and errors by their keys; unknown keys are ignored."""
        body, results, errors = await read_json(request), self.store.list_results(), self.store.list_errors()
        return {
            "error": {key: errors[key] for key in body.get("error", []) if key in errors},
            "result": {key: results[key] for key in body.get("result", []) if key in results},
        }

    @route("GET", "/result/error/{key}/", role=VIEW)
    async def get_result_error(self, request: Request, session: Session) -> Any:
        """Return an error."""
        return _get(self.store.list_errors(), request, "Cache key {} does not exists.")

    @route("GET", "/result/{key}/", role=VIEW)
    async def get_result(self, request: Request, session: Session) -> Any:
        """Return a result."""
        return _get(self.store.list_results(), request, "Cache key {} does not exists.")

    @route("GET", "/error/{key}/", role=VIEW)
    async def get_error(self, request: Request, session: Session) -> Any:
        """Return an error, or a different message than `get_result_error`."""
        return _get(self.store.list_errors(), request, "The error was not found")


def _get(documents: Mapping[str, dict[str, Any]], request: Request, message: str) -> Any:
    key = request.path_params["key"]
    if key not in documents:
        raise ApiError(404, message.format(key))
    return documents[key]
