"""Heuristics, which exist only if they are seeded."""

from __future__ import annotations

from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.resources.signatures import NO_STATS
from self_hosted.sandbox.routing import route

STATS_FIELDS = ("heur_id", "name", "classification")


class Heuristics(Resource):
    """The heuristics. The state has them by id."""

    name: ClassVar[str] = "heuristics"

    def seed(self, data: Any) -> None:
        """Add heuristics.

        :param data: [{``heur_id``, ``name``, ...}]
        """
        defaults = {"classification": "TLP:C", "filetype": "*", "score": 0, "description": "", "stats": NO_STATS}
        self.state.update({item["heur_id"]: {**defaults, **item, "id": item["heur_id"]} for item in data})

    def get_documents(self) -> dict[str, list[dict[str, Any]]]:
        """Return the heuristics."""
        return {"heuristic": list(self.state.values())}

    @route("GET", "/heuristics/stats/", role="heuristic_view")
    async def list_stats(self, request: Request, session: Session) -> Any:
        """Return the number of hits of each heuristic."""
        return [
            {**{name: item[name] for name in STATS_FIELDS}, **NO_STATS, **item["stats"]} for item in self.state.values()
        ]

    @route("GET", "/heuristics/{id}/", role="heuristic_view")
    async def get_heuristic(self, request: Request, session: Session) -> Any:
        """Return a heuristic."""
        if request.path_params["id"] not in self.state:
            raise ApiError(404, "Heuristic not found")
        return self.state[request.path_params["id"]]
