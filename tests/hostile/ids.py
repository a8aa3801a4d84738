"""Which parameters are ids, and values that are none. The rule and its exceptions are in this file only."""

from __future__ import annotations

import re
from inspect import Parameter
from typing import Any

INVALID_IDS = ["", " ", "None", "a\0b", "x" * 5000]
"""A missing result, as templates and code pass it on, and values that no product accepts."""

ID_NAME = re.compile(r"(?:.*_)?(?:id|ids|sid|sids|sha256|sha256s|key|keys|tag|hash|hashes)")
OBJECT_NAMES = {
    "component",
    "entity",
    "field",
    "group",
    "index",
    "list_name",
    "name",
    "names",
    "node",
    "profile",
    "project",
    "queue",
    "service",
    "submission",
    "user",
    "version",
}
"""Parameters that name an object of a product, most of them as a segment of a path."""

FILE_NAME = "the name of a file, which may be any text"
EXCEPTIONS = {
    "assemblyline.download_file.name": FILE_NAME,
    "assemblyline.resubmit_for_dynamic_analysis.name": FILE_NAME,
    "assemblyline.resubmit_with_profile.name": FILE_NAME,
    "assemblyline.search_page.paging_id": "a position in a search, of any length; the server says so if it is unknown",
    "AssemblylineDownloadFileOperator.name": FILE_NAME,
    "AssemblylineResubmitOperator.name": FILE_NAME,
    "AssemblylineSubmitFileOperator.name": FILE_NAME,
    "AssemblylineSubmitHashOperator.name": FILE_NAME,
    "AssemblylineSubmitUrlOperator.name": FILE_NAME,
}
"""Parameters with the name of an id that are none, and why."""


def is_id(owner: str, parameter: Parameter) -> bool:
    """Whether a parameter is the id of an object, or a list of ids.

    :param owner: the flow or the class that it belongs to
    :param parameter: the parameter
    """
    name = parameter.name
    if name.endswith("_conn_id"):  # the id of an Airflow connection, which Airflow looks for
        return False
    return bool(ID_NAME.fullmatch(name) or name in OBJECT_NAMES) and f"{owner}.{name}" not in EXCEPTIONS


def takes_many(parameter: Parameter) -> bool:
    """Whether a parameter takes several ids."""
    return bool(re.search(r"\b(Sequence|Collection|Iterable|Mapping|list|set)\[", str(parameter.annotation)))


def describe(value: Any) -> str:
    """Return an invalid value for messages."""
    text = repr(value)
    return text if len(text) < 60 else f"{text[:20]}... ({len(text)} characters)"
