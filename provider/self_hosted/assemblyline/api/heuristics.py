"""Heuristics: the findings by which services score files."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from self_hosted.assemblyline.api import ids
from self_hosted.assemblyline.errors import API_PATH, call, call_object
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.shape import JsonObject


class _Heuristic(TypedDict):
    heur_id: str


def get(heur_id: str) -> Flow[dict[str, Any]]:
    """Return one heuristic: heur_id, name, description, filetype, score, attack_id, stats, ...

    ``GET /api/v4/heuristics/<heuristic_id>/``

    :param heur_id: such as "CAPE.1"
    :raises NotFoundError: if it does not exist
    """
    path = url_path("heuristics", ids.check_segment("heur_id", heur_id, frozenset({"stats"})))
    return call_object(Request("GET", f"{API_PATH}{path}/"), _Heuristic)


def get_stats() -> Flow[list[dict[str, Any]]]:
    """Return hits and scores of each heuristic: heur_id, name, count, min, avg, max, first_hit, ...

    ``GET /api/v4/heuristics/stats/``
    """
    return call(Request("GET", f"{API_PATH}/heuristics/stats/", long_running=True), list[JsonObject])
