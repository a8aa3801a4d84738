"""Ontologies: the findings of services in the product's common format, as lines of JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.assemblyline.api.files import files
from self_hosted.assemblyline.errors import API_PATH
from self_hosted.core.arguments import check_ids
from self_hosted.core.http.flow import Flow, Request, SaveTo, url_path


def save_for_submission(
    sid: str, save_to: SaveTo, sha256s: Sequence[str] = (), services: Sequence[str] = ()
) -> Flow[None]:
    """Write the ontologies of a submission to a file, one JSON object per line; empty if services created none.

    ``GET /api/v4/ontology/submission/<sid>/``

    :param sid: id of the submission
    :param save_to: opens the file for writing
    :param sha256s: only of these files; default: all
    :param services: only of these services; default: all
    :raises NotFoundError: if the submission does not exist
    """
    return _save("submission", sid, save_to, {"sha256": _parse_sha256s(sha256s), "service": services})


def save_for_alert(
    alert_id: str, save_to: SaveTo, sha256s: Sequence[str] = (), services: Sequence[str] = ()
) -> Flow[None]:
    """Write the ontologies of the submission that raised an alert to a file; see `save_for_submission`.

    ``GET /api/v4/ontology/alert/<alert_id>/``

    :param alert_id: id of the alert
    :param save_to: opens the file for writing
    :param sha256s: only of these files; default: all
    :param services: only of these services; default: all
    :raises NotFoundError: if the alert does not exist
    """
    return _save("alert", alert_id, save_to, {"sha256": _parse_sha256s(sha256s), "service": services})


def save_for_file(sha256: str, save_to: SaveTo, services: Sequence[str] = (), *, every: bool = False) -> Flow[None]:
    """Write the ontologies of a file, of all its submissions, to a file; one JSON object per line.

    ``GET /api/v4/ontology/file/<sha256>/``

    :param sha256: SHA-256 of the file
    :param save_to: opens the file for writing
    :param services: only of these services; default: all
    :param every: whether older results of a service are included
    :raises NotFoundError: if the file does not exist
    """
    return _save("file", files.parse_sha256(sha256), save_to, {"service": services, "all": every})


def _parse_sha256s(sha256s: Sequence[str]) -> list[str]:
    return [files.parse_sha256(sha256) for sha256 in check_ids("sha256s", sha256s)]


def _save(kind: str, name: str, save_to: SaveTo, query: Mapping[str, Any]) -> Flow[None]:
    path = f"{API_PATH}{url_path('ontology', kind, name)}/"
    yield Request("GET", path, query, save_to=save_to, long_running=True)
