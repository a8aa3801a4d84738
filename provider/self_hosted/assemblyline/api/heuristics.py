"""Heuristics: the findings by which services score files."""

from __future__ import annotations

from typing import Any

from self_hosted.assemblyline.errors import API_PATH, call
from self_hosted.core.http.flow import Flow, Request, url_path


def get(heur_id: str) -> Flow[dict[str, Any]]:
    """Return one heuristic: heur_id, name, description, filetype, score, attack_id, stats, ...

    ``GET /api/v4/heuristics/<heuristic_id>/``

    :param heur_id: such as "CAPE.1"
    :raises NotFoundError: if it does not exist
    """
    return call(Request("GET", f"{API_PATH}{url_path('heuristics', heur_id)}/"))


def get_stats() -> Flow[list[dict[str, Any]]]:
    """Return hits and scores of each heuristic: heur_id, name, count, min, avg, max, first_hit, ...

    ``GET /api/v4/heuristics/stats/``
    """
    return call(Request("GET", f"{API_PATH}/heuristics/stats/", long_running=True))
