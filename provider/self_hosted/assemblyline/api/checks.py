"""What is checked before something is submitted or ingested, since the server ignores what it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.assemblyline.api.account import configuration, submission_profile
from self_hosted.assemblyline.api.selection import check_classification, check_services
from self_hosted.assemblyline.api.sources import Source, checked_source, source_name, source_size
from self_hosted.assemblyline.api.tagging import RESUBMITTED
from self_hosted.core.flow import Flow, Upload

SUBMIT_OPTIONS = frozenset({"metadata", "name", "params", "submission_profile"})

# The server's `psid` is not here: by that are known the submissions that it made anew from others.
SUBMISSION_PARAMS = frozenset({
    "auto_archive",
    "classification",
    "deep_scan",
    "default_external_sources",
    "delete_after_archive",
    "description",
    "filetype_override",
    "generate_alert",
    "groups",
    "ignore_cache",
    "ignore_filtering",
    "ignore_recursion_prevention",
    "ignore_size",
    "initial_data",
    "malicious",
    "max_extracted",
    "max_supplementary",
    "never_drop",
    "priority",
    "service_spec",
    "services",
    "trace",
    "ttl",
    "type",
    "use_archive_alternate_dtl",
})


def check_upload(source: Source, options: Mapping[str, Any]) -> Flow[None]:
    """Ask the server whether it will take something, before it is sent.

    :param source: as for `submit`
    :param options: as for `submit`
    :raises ValueError: when the source is none or larger than the server takes, or it has no such params or services
    :raises Invalid: when it has no such profile
    """
    if not isinstance(source, Upload):
        checked_source(source)
    limit, size = (yield from size_limit(options)), source_size(source)
    if limit is not None and size > limit:
        raise ValueError(f"{source_name(source)} has {size} bytes, and this server takes {limit} at most")


def size_limit(options: Mapping[str, Any]) -> Flow[int | None]:
    """Ask the server how large a file it takes with some options, which are checked by the way.

    :param options: as for `submit`
    :return: in bytes; None when ``params`` say ``ignore_size``
    :raises ValueError: when the server has no such params or services
    :raises Invalid: when it has no such profile
    """
    params = options.get("params", {})
    check_params("params", params)
    settings = yield from configuration()
    check_services(params, settings)
    if params.get("classification"):
        yield from check_classification(params["classification"])
    if "submission_profile" in options:
        yield from submission_profile(options["submission_profile"])
    return None if params.get("ignore_size") else int(settings["submission.max_file_size"])


def check_options(options: Mapping[str, Any]) -> None:
    """Validate what goes with a submit.

    :param options: name, metadata, params, submission_profile
    :raises ValueError: naming what the server would ignore
    """
    unknown = sorted(set(options) - SUBMIT_OPTIONS)
    if unknown:
        known = ", ".join(sorted(SUBMIT_OPTIONS))
        raise ValueError(f"options: a submit takes no {', '.join(unknown)}; it takes {known}")


def check_params(argument: str, params: Mapping[str, Any]) -> None:
    """Validate Assemblyline's params.

    :param argument: what a DAG author calls them
    :param params: by name
    :raises ValueError: naming the argument
    """
    unknown = sorted(set(params) - SUBMISSION_PARAMS)
    if unknown:
        known = ", ".join(sorted(SUBMISSION_PARAMS))
        raise ValueError(f"{argument}: Assemblyline takes no {', '.join(unknown)}; it takes {known}")
    if str(params.get("description")).startswith(RESUBMITTED):
        raise ValueError(f"{argument}: description must not begin with {RESUBMITTED!r}, as the server's own do")
