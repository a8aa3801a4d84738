"""Heuristics: what services score files by."""

from __future__ import annotations

from typing import Any

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.core.flow import Flow, Request, url_path


def heuristic(heur_id: str) -> Flow[dict[str, Any]]:
    """One heuristic: heur_id, name, description, filetype, score, attack_id, stats, ...

    ``GET /api/v4/heuristics/<heuristic_id>/``

    :param heur_id: such as "CAPE.1"
    :raises NotFound: when there is none
    """
    return asked(Request("GET", f"{API}{url_path('heuristics', heur_id)}/"))


def heuristic_stats() -> Flow[list[dict[str, Any]]]:
    """How often each heuristic was raised, and with what scores: heur_id, name, count, min, avg, max, first_hit, ...

    ``GET /api/v4/heuristics/stats/``
    """
    return asked(Request("GET", f"{API}/heuristics/stats/", slow=True))
