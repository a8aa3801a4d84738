"""Ontologies: what the services found, in the product's common form, as lines of JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.assemblyline.api.envelope import API
from self_hosted.core.flow import Flow, Request, SaveTo, url_path


def submission_ontology(
    sid: str, save_to: SaveTo, sha256s: Sequence[str] = (), services: Sequence[str] = ()
) -> Flow[None]:
    """Write the ontologies of a submission to a file, one JSON object a line; empty when services made none.

    ``GET /api/v4/ontology/submission/<sid>/``

    :param sid: id of the submission
    :param save_to: opens the file
    :param sha256s: of these files only
    :param services: of these services only
    :raises NotFound: when there is no such submission
    """
    return _saved("submission", sid, save_to, {"sha256": sha256s, "service": services})


def alert_ontology(
    alert_id: str, save_to: SaveTo, sha256s: Sequence[str] = (), services: Sequence[str] = ()
) -> Flow[None]:
    """As `submission_ontology`, of the submission that raised an alert.

    ``GET /api/v4/ontology/alert/<alert_id>/``

    :param alert_id: id of the alert
    :param save_to: opens the file
    :param sha256s: of these files only
    :param services: of these services only
    :raises NotFound: when there is no such alert
    """
    return _saved("alert", alert_id, save_to, {"sha256": sha256s, "service": services})


def file_ontology(sha256: str, save_to: SaveTo, services: Sequence[str] = (), *, every: bool = False) -> Flow[None]:
    """Write the ontologies of a file, of whatever submission, one JSON object a line.

    ``GET /api/v4/ontology/file/<sha256>/``

    :param sha256: of the file
    :param save_to: opens the file that is written to
    :param services: of these services only
    :param every: the older results of a service, too, and not only its newest
    :raises NotFound: when there is no such file
    """
    return _saved("file", sha256.lower(), save_to, {"service": services, "all": every})


def _saved(kind: str, name: str, save_to: SaveTo, query: Mapping[str, Any]) -> Flow[None]:
    path = f"{API}{url_path('ontology', kind, name)}/"
    yield Request("GET", path, query, save_to=save_to, slow=True)
