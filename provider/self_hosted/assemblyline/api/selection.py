"""Which services analyse a file, and how secret it is: checked, since the server ignores what it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.assemblyline.api.server import classification_definition
from self_hosted.core.flow import Flow

PURPOSES = ("selected", "excluded", "rescan", "resubmit")
"""What ``params.services`` holds: lists of names of services and of their categories."""


def check_services(params: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Validate the services that params name: one that the server does not have is not run, without a word.

    :param params: Assemblyline's, of which ``services`` and ``service_spec`` are looked at
    :param settings: the server's `configuration`
    :raises ValueError: naming what the server would ignore
    """
    chosen, spec = params.get("services") or {}, params.get("service_spec") or {}
    if not isinstance(chosen, Mapping) or not set(chosen) <= set(PURPOSES):
        raise ValueError(f"params: services must be a dictionary of {', '.join(PURPOSES)}, not {chosen!r}")
    for purpose, names in chosen.items():
        if not isinstance(names, list | tuple):  # the server takes a text letter by letter
            raise ValueError(f"params: services.{purpose} must be a list of names, not {names!r}")
    known = _known_services(settings)
    unknown = sorted({*spec, *(name for names in chosen.values() for name in names)} - known)
    if unknown and known:
        there = ", ".join(sorted(known))
        raise ValueError(f"params: this server has no service or category {', '.join(unknown)}; it has {there}")


def _known_services(settings: Mapping[str, Any]) -> set[str]:
    categories = settings.get("services.categories", [])
    stages = settings.get("services.stages", [])
    members = {service for _, services in [*categories, *stages] for service in services}
    return {category for category, _ in categories} | members


def check_classification(classification: str, argument: str = "params") -> Flow[None]:
    """Validate a classification on a server that enforces none: there it would be replaced, without a word.

    One that enforces them refuses by itself what it cannot read. Does not count toward the daily quota.

    :param classification: such as "TLP:AMBER"
    :param argument: what a DAG author calls it
    :raises ValueError: when the server would store another
    """
    definition = yield from classification_definition()
    stored = definition["UNRESTRICTED"]
    aliases = {alias for alias, level in definition["levels_aliases"].items() if level == stored}
    same = {stored, definition["levels_map_stl"].get(stored, stored), *aliases}
    if not definition["enforce"] and str(classification).upper() not in same:
        raise ValueError(
            f"{argument}: this server enforces no classifications, and would store {stored} "
            f"instead of {classification!r}"
        )
