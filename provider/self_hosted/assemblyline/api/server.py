"""The server: configuration, classifications, constants and components. None of it counts toward the daily quota."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict

from self_hosted.assemblyline.errors import API_PATH, call, call_object, call_optional
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow, Request, url_path

# the names of the settings hold dots
Configuration = TypedDict(
    "Configuration",
    {
        "submission.max_file_size": int,
        "submission.verdicts.info": int,
        "submission.verdicts.suspicious": int,
        "submission.verdicts.highly_suspicious": int,
        "submission.verdicts.malicious": int,
        "services.categories": NotRequired[list[Any]],
        "services.stages": NotRequired[list[Any]],
    },
)
"""The shape of the server's settings: those that flows use."""

CLASSIFICATION_PATH = f"{API_PATH}/help/classification_definition/"
INGESTER, DISPATCHER = "ingester", "dispatcher"
"""The components that take up ingests and submissions, one after the other. Each can be paused."""


class _Classifications(TypedDict):
    UNRESTRICTED: str


class _Levels(_Classifications):
    enforce: bool
    levels_aliases: dict[str, str]
    levels_map_stl: dict[str, str]


class _Constants(TypedDict):
    tag_types: list[str]


def get_configuration() -> Flow[dict[str, Any]]:
    """Return the server's settings, flat: "submission.max_file_size" and so on.

    ``GET /api/v4/help/configuration/``
    """
    return call_object(Request("GET", f"{API_PATH}/help/configuration/"), Configuration)


def get_classification_definition() -> Flow[dict[str, Any]]:
    """Return levels, groups and aliases of classifications; ``enforce`` is whether the server applies them.

    ``GET /api/v4/help/classification_definition/``
    """
    return call_object(Request("GET", CLASSIFICATION_PATH), _Classifications)


def get_constants() -> Flow[dict[str, Any]]:
    """Return the file types with the services that accept them, the tag types and the priorities.

    ``GET /api/v4/help/constants/``
    """
    return call_object(Request("GET", f"{API_PATH}/help/constants/"), _Constants)


def get_terms_of_service() -> Flow[str | None]:
    """Return the terms of service in Markdown; None if the server has none.

    ``GET /api/v4/help/tos/``
    """
    return call_optional(Request("GET", f"{API_PATH}/help/tos/"), str)


def is_component_enabled(component: str) -> Flow[bool]:
    """Return whether an administrator lets a component run; it may be down, or not exist, all the same.

    ``GET /api/v4/system/status/<component>/``

    :param component: "ingester" or "dispatcher"; False for any other name
    """
    path = f"{API_PATH}{url_path('system', 'status', component)}/"
    status = yield from call(Request("GET", path), dict[str, bool])
    if component not in status:
        raise ServerError(f"unexpected response: it lacks {component}", method="GET", path=path)
    return status[component]


def list_paused_components() -> Flow[set[str]]:
    """Return the components that an administrator paused, or that never ran.

    A crashed component is not among them: the server knows the switch only.

    ``GET /api/v4/system/status/ALL/``
    """
    status = yield from call(Request("GET", f"{API_PATH}/system/status/ALL/"), dict[str, bool])
    return {component for component, is_active in status.items() if not is_active}


def check_classification(classification: str, argument: str = "params") -> Flow[None]:
    """Check a classification on a server that enforces none: the server would replace it without an error.

    A server that enforces classifications rejects invalid ones itself.

    :param classification: such as "TLP:AMBER"
    :param argument: name of the argument
    :raises ValueError: if the server would store another classification
    """
    definition = yield from call(Request("GET", CLASSIFICATION_PATH), _Levels)
    stored = definition["UNRESTRICTED"]
    aliases = {alias for alias, level in definition["levels_aliases"].items() if level == stored}
    equal = {stored, definition["levels_map_stl"].get(stored, stored), *aliases}
    if not definition["enforce"] and str(classification).upper() not in equal:
        raise ValueError(
            f"{argument}: this server enforces no classifications and would store {stored}, not {classification!r}"
        )
