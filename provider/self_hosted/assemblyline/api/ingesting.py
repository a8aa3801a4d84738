"""Ingesting: handing something in for when the server finds the time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from self_hosted.assemblyline.api.checks import check_params, check_upload
from self_hosted.assemblyline.api.envelope import asked
from self_hosted.assemblyline.api.sources import Source, handed_in
from self_hosted.assemblyline.api.tagging import own_tag, read_back, tagged, tagged_submissions
from self_hosted.core.flow import Flow

INGEST_OPTIONS = frozenset({
    "metadata",
    "name",
    "notification_queue",
    "notification_threshold",
    "params",
    "submission_profile",
    "type",
})


def ingest(source: Source, options: Mapping[str, Any]) -> Flow[str]:
    """Ingest something: the id of the ingest, which is not the id of the submission that comes of it, if any does.

    A file that was ingested with the same params within a day makes no new submission, unless ``params`` say
    ``ignore_cache``. The server limits priority (to 250, by default) and the number of extracted files (to 100).

    ``POST /api/v4/ingest/``

    :param source: a file, or what else `submit` takes
    :param options: name, metadata, params, submission_profile, notification_queue, notification_threshold, type; each
        may be absent
    :raises ValueError: for what the server would ignore, such as ``generate_alert`` outside of ``params``, and when the
        source is none
    :raises NotFound: when the server has no file with this hash
    """
    check_ingest_options(options)
    tag = own_tag(options)
    ingest_id, _ = yield from read_back(partial(_sent, source, tagged(options, tag)), partial(_tagged_ingest, tag))
    return ingest_id


def _sent(source: Source, options: Mapping[str, Any], *, in_turn: bool = False) -> Flow[str]:
    answer = yield from asked(handed_in("ingest", source, options, in_turn=in_turn))
    return str(answer["ingest_id"])


def ingest_in_turn(source: Source, options: Mapping[str, Any], tag: str) -> Flow[str]:
    """Ingest one of many under a tag that nothing was ingested under before: the id of the ingest.

    Nothing is checked before: see `check_ingest_options` and `size_limit`, once for all of them.

    :param source: a file, or what else `submit` takes
    :param options: as for `ingest`
    :param tag: what tells this piece of work from all others
    :raises QuotaInUse: at once, when as many ingests of the user run as may
    """
    sent = partial(_sent, source, tagged(options, tag), in_turn=True)
    ingest_id, _ = yield from read_back(sent, partial(_tagged_ingest, tag))
    return ingest_id


def ingest_once(source: Source, options: Mapping[str, Any], tag: str) -> Flow[str]:
    """As `ingest`, but what was ingested under this tag before is found again.

    Only a submission can be found: an ingest that still waits, or that made none since the file was known, leaves no
    trace and is repeated. The server recognises the file then, and analyses it once.

    :param source: a file, or what else `submit` takes
    :param options: as for `ingest`
    :param tag: what tells this piece of work from all others
    :raises ValueError: as `ingest`, and when the file is larger than the server takes
    """
    check_ingest_options(options)
    found = yield from _tagged_ingest(tag)
    if found is None:
        yield from check_upload(source, options)
        found, _ = yield from read_back(partial(_sent, source, tagged(options, tag)), partial(_tagged_ingest, tag))
    return found


def _tagged_ingest(tag: str) -> Flow[str | None]:
    found = yield from tagged_submissions(tag)
    ids = [one["metadata"]["ingest_id"] for one in found if one.get("metadata")]
    return ids[0] if ids else None


def check_ingest_options(options: Mapping[str, Any]) -> None:
    """Validate what goes with an ingest.

    :param options: as for `ingest`
    :raises ValueError: naming what the server would ignore
    """
    if "generate_alert" in options:
        raise ValueError("generate_alert belongs into params: Assemblyline ignores it beside them")
    unknown = sorted(set(options) - INGEST_OPTIONS)
    if unknown:
        known = ", ".join(sorted(INGEST_OPTIONS))
        raise ValueError(f"options: an ingest takes no {', '.join(unknown)}; it takes {known}")
    check_params("params", options.get("params", {}))
