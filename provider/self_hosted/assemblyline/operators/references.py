"""Arguments that take the result of another task in place of an id or a hash, whole or as a template renders it.

``sid=scan.output`` is the same as ``sid="{{ ti.xcom_pull('scan')['sid'] }}"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from self_hosted.core.arguments import parse_id, parse_id_list, parse_list, parse_object
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.storage import parse_uri

if TYPE_CHECKING:
    from self_hosted.assemblyline.api.files import files
else:
    files = lazy_import("self_hosted.assemblyline.api.files.files")

ROW_KEYS = ("hashes", "hits", "rows")
"""The keys of results that hold one row per object."""

SID_KEYS, HASH_KEYS = ("sid",), ("sha256", "hash")


def parse_result(argument: str, value: Any) -> dict[str, Any] | None:
    """Return the result of another task, or None if a value is none.

    :param argument: name of the argument
    :param value: a result, also as text; or anything else
    :raises ValueError: for a text that starts like a result, but is none
    """
    is_text = isinstance(value, str) and value.lstrip().startswith("{")
    return parse_object(argument, value) if is_text or isinstance(value, Mapping) else None


def parse_sid(argument: str, value: Any) -> str:
    """Return the id of a submission.

    :param argument: name of the argument
    :param value: the id, or the result of a task with a ``sid``
    :raises ValueError: for anything else
    """
    return parse_id(argument, _pick(argument, value, SID_KEYS), "a submission")


def parse_alert_id(argument: str, value: Any) -> str:
    """Return the id of an alert.

    :param argument: name of the argument
    :param value: the id, or the result of a task with an ``alert_id``
    :raises ValueError: for anything else
    """
    return parse_id(argument, _pick(argument, value, ("alert_id",)), "an alert")


def parse_key(argument: str, value: Any) -> str:
    """Return the key of a retrohunt.

    :param argument: name of the argument
    :param value: the key, or the result of a task with a ``key``
    :raises ValueError: for anything else
    """
    return parse_id(argument, _pick(argument, value, ("key",)), "a retrohunt")


def parse_sha256(value: Any) -> str:
    """Return the SHA-256 of the argument ``sha256``.

    :param value: the hash, or the result of a task with a ``sha256``
    :raises ValueError: for anything else
    """
    return files.parse_sha256(_pick("sha256", value, ("sha256",)))


def parse_file(argument: str, value: Any) -> str:
    """Return where a file is.

    :param argument: name of the argument
    :param value: path or URI, see `parse_uri`; or the result of a task that wrote a file
    :raises ValueError: for anything else
    """
    return parse_uri(argument, _pick(argument, value, ("output_uri", "path")))


def parse_sids(argument: str, value: Any) -> list[str]:
    """Return ids of submissions; the list may be empty.

    :param argument: name of the argument
    :param value: an id or a result, or a list of them; a result with rows stands for its rows. Results of files without
        a submission are left out
    :raises ValueError: for anything else
    """
    return _parse_many(argument, value, SID_KEYS, "a submission")


def parse_hashes(argument: str, value: Any) -> list[str]:
    """Return hashes of files; the list may be empty.

    :param argument: name of the argument
    :param value: a hash or a result, or a list of them; a result with rows, such as the hits of a retrohunt, stands for
        its rows
    :raises ValueError: for anything else
    """
    return _parse_many(argument, value, HASH_KEYS, "a file")


def list_rows(argument: str, value: Any) -> list[Any]:
    """Return the items of a list, or the rows of a result, or a list of the only value.

    :param argument: name of the argument
    :param value: see `parse_hashes`
    """
    result = parse_result(argument, value)
    if result is None:
        items = parse_list(value)
        return items if isinstance(items, list) else [items]
    rows = (result[name] for name in ROW_KEYS if isinstance(result.get(name), list))
    return list(next(rows, [result]))


def _parse_many(argument: str, value: Any, keys: tuple[str, ...], label: str) -> list[str]:
    found = [_pick(argument, item, keys) for item in list_rows(argument, value)]
    return parse_id_list(argument, [item for item in found if item is not None], label)


def _pick(argument: str, value: Any, keys: tuple[str, ...]) -> Any:
    """Return the value of the first key that a result has; a value that is no result unchanged.

    :raises ValueError: if a result has none of the keys
    """
    result = parse_result(argument, value)
    if result is None:
        return value
    if not set(keys) & set(result):
        raise ValueError(f"{argument}: the result of the other task has no {' and no '.join(keys)}")
    return next((result[key] for key in keys if result.get(key) is not None), None)
