"""Checks of a submission or an ingest before it is sent: the server ignores options that it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.assemblyline.api import server
from self_hosted.assemblyline.api.account import account
from self_hosted.assemblyline.api.submissions import idempotency, params as server_params, sources
from self_hosted.assemblyline.api.submissions.sources import Source
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow, Upload

OPTION_NAMES = frozenset({"metadata", "name", "params", "submission_profile"})
SERVICE_SELECTIONS = ("selected", "excluded", "rescan", "resubmit")
"""The keys of ``params.services``, each with a list of names of services and categories."""

SERVICE_PARAMS = ("services", "service_spec")  # see `check_services`


def check_upload(source: Source, options: Mapping[str, Any]) -> Flow[None]:
    """Check that the server will accept a source and its options, before anything is uploaded.

    :param source: see `Source`
    :param options: name, metadata, params, submission_profile
    :raises ValueError: if the source is invalid or too large, or the server does not know a param or a service
    :raises InvalidRequestError: if the server does not know the profile
    """
    if not isinstance(source, Upload):
        sources.parse(source)
    limit, size = (yield from get_size_limit(options)), sources.get_size(source)
    if limit is not None and size > limit:
        raise ValueError(f"{sources.describe(source)} has {size} bytes; this server accepts at most {limit}")


def get_size_limit(options: Mapping[str, Any]) -> Flow[int | None]:
    """Return the largest file that the server accepts with some options, and check the options.

    :param options: name, metadata, params, submission_profile
    :return: bytes; None if ``params`` have ``ignore_size``
    :raises ValueError: if the server does not know a param or a service
    :raises InvalidRequestError: if the server does not know the profile
    """
    params = options.get("params", {})
    check_params("params", params)
    configuration = yield from server.get_configuration()
    check_services(params, configuration)
    if params.get("classification"):
        yield from server.check_classification(params["classification"])
    if "submission_profile" in options:
        yield from account.get_submission_profile(options["submission_profile"])
    return None if params.get("ignore_size") else int(configuration["submission.max_file_size"])


def check_options(options: Mapping[str, Any]) -> None:
    """Check the options of a submission.

    :param options: name, metadata, params, submission_profile
    :raises ValueError: if the server would ignore one
    """
    unknown = sorted(set(options) - OPTION_NAMES)
    if unknown:
        raise ValueError(f"options: unknown {', '.join(unknown)}; valid are {', '.join(sorted(OPTION_NAMES))}")


def check_params(argument: str, params: Mapping[str, Any]) -> None:
    """Check the server's ``params``.

    :param argument: name of the argument
    :param params: by name
    :raises ValueError: if the server would ignore one, or convert a value of the wrong type
    """
    if not isinstance(params, Mapping):
        raise ValueError(f"{argument} must be a dictionary, not {type(params).__name__}")
    unknown = sorted(map(str, set(params) - set(server_params.PARAMS)))
    if unknown:
        raise ValueError(f"{argument}: unknown {', '.join(unknown)}; valid are {', '.join(server_params.PARAMS)}")
    server_params.check(argument, {name: value for name, value in params.items() if name not in SERVICE_PARAMS})
    if str(params.get("description")).startswith(idempotency.RESUBMITTED_PREFIX):
        prefix = idempotency.RESUBMITTED_PREFIX
        raise ValueError(f"{argument}: description must not start with {prefix!r}, which marks the server's own copies")


def parse_params(argument: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the server's ``params`` with values of the types that it expects; texts of templates are converted.

    :param argument: name of the argument
    :param params: by name
    :raises ValueError: see `check_params`
    """
    parsed = server_params.parse(argument, params)
    check_params(argument, parsed)
    return parsed


def check_services(params: Mapping[str, Any], configuration: Mapping[str, Any]) -> None:
    """Check the services in params: the server skips unknown ones without an error.

    :param params: the server's params; ``services`` and ``service_spec`` are checked
    :param configuration: see `server.get_configuration`
    :raises ValueError: if the server would ignore a service
    """
    selections, spec = params.get("services") or {}, params.get("service_spec") or {}
    if not isinstance(spec, Mapping) or not all(isinstance(values, Mapping) for values in spec.values()):
        raise ValueError(f"params: service_spec must be a dictionary of dictionaries, not {spec!r:.100}")
    if not isinstance(selections, Mapping) or not set(selections) <= set(SERVICE_SELECTIONS):
        valid = ", ".join(SERVICE_SELECTIONS)
        raise ValueError(f"params: services must be a dictionary with keys among {valid}, not {selections!r}")
    for selection, names in selections.items():
        if not isinstance(names, list | tuple):  # the server reads a text letter by letter
            raise ValueError(f"params: services.{selection} must be a list of names, not {names!r}")
    known = _list_service_names(configuration)
    unknown = sorted({*spec, *(name for names in selections.values() for name in names)} - known)
    if unknown and known:
        valid = ", ".join(sorted(known))
        raise ValueError(f"params: unknown services or categories {', '.join(unknown)}; this server has {valid}")


def _list_service_names(configuration: Mapping[str, Any]) -> set[str]:
    categories = _read_members(configuration, "services.categories")
    stages = _read_members(configuration, "services.stages")
    members = {service for _, services in [*categories, *stages] for service in services}
    return {category for category, _ in categories} | members


def _read_members(configuration: Mapping[str, Any], setting: str) -> list[tuple[str, list[str]]]:
    """Return the names of categories or stages, each with the services in it."""
    members = []
    for pair in configuration.get(setting) or []:
        match pair:
            case [str(name), [*services]] if all(isinstance(service, str) for service in services):
                members.append((name, services))
            case _:
                raise ServerError(
                    f"unexpected response of help/configuration: {setting} should be pairs, not {pair!r:.80}"
                )
    return members
