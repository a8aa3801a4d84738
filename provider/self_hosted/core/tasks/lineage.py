"""What a task reads and writes: files, and objects in a product, for Airflow's lineage.

Airflow collects lineage in the process that records it, but a task that defers continues in another process. So each
record is also kept beside the task's hook, can be saved as JSON, and restored. `openlineage.py` reads it, too.

https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/lineage.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from self_hosted.core.http.logs import get_logger
from self_hosted.core.tasks.storage import is_local, resolve_path

if TYPE_CHECKING:
    from self_hosted.core.connection.hook import SelfHostedHook

MAX_ASSETS = 100
"""How many inputs, and how many outputs, Airflow collects of a task: ``[lineage] max_assets_per_collector``."""

USER_INFO = re.compile(r"(?<=://)[^/@]*@")  # in a URI of an object store, the name of a connection

log = get_logger(__name__)


@dataclass
class TaskLineage:
    """What a task has read and written so far.

    :param inputs: URIs; a dictionary as an ordered set
    :param outputs: how many rows were written, by URI; None if they are not counted
    :param subject: URI of the object in the product that the task is about
    """

    inputs: dict[str, None] = field(default_factory=dict)
    outputs: dict[str, int | None] = field(default_factory=dict)
    subject: str | None = None


_lineages: WeakKeyDictionary[SelfHostedHook, TaskLineage] = WeakKeyDictionary()  # each task has a hook of its own


def lineage_of(hook: SelfHostedHook) -> TaskLineage:
    """Return what the task of a hook has read and written.

    :param hook: the task's hook
    """
    return _lineages.setdefault(hook, TaskLineage())


def record_input(hook: SelfHostedHook, uri: str) -> None:
    """Record that the task read a file or an asset.

    :param hook: the task's hook
    :param uri: path or URI of the file, or URI of the asset
    """
    uri = _normalize(uri)
    lineage_of(hook).inputs.setdefault(uri)
    if not _records_itself(hook, uri):
        with suppress(ValueError):  # longer than Airflow allows
            _collector().add_input_asset(context=hook, uri=uri)


def record_inputs(hook: SelfHostedHook, uris: Sequence[str], folder: str | None = None) -> None:
    """Record that the task read files: each of them, or their folder if they are more than Airflow collects.

    :param hook: the task's hook
    :param uris: paths or URIs of the files
    :param folder: path or URI of a folder with all of them; None if they are of several folders
    """
    if len(uris) > MAX_ASSETS:
        log.info("The lineage names %s in place of %s files", folder or f"the first {MAX_ASSETS}", len(uris))
        uris = [folder] if folder else uris[:MAX_ASSETS]
    for uri in uris:
        record_input(hook, uri)


def record_output(hook: SelfHostedHook, uri: str, rows: int | None = None) -> None:
    """Record that the task wrote a file or an asset.

    :param hook: the task's hook
    :param uri: path or URI of the file, or URI of the asset
    :param rows: how many rows were written, if they are counted
    """
    uri, outputs = _normalize(uri), lineage_of(hook).outputs
    outputs[uri] = outputs.get(uri) if rows is None else rows
    if not _records_itself(hook, uri):
        with suppress(ValueError):  # longer than Airflow allows
            _collector().add_output_asset(context=hook, uri=uri)


def set_subject(hook: SelfHostedHook, uri: str) -> None:
    """Set the object in the product that the task is about; the first one counts.

    :param hook: the task's hook
    :param uri: URI of its asset
    """
    lineage = lineage_of(hook)
    lineage.subject = lineage.subject or uri


def save_lineage(hook: SelfHostedHook) -> dict[str, Any] | None:
    """Return what was recorded in this process, as JSON: by the task, and by Airflow itself. None = nothing.

    :param hook: the task's hook
    """
    lineage, collected = lineage_of(hook), _collector().collected_assets
    inputs = [*lineage.inputs, *_list_others(collected.inputs, lineage.inputs)]
    outputs = {**dict.fromkeys(_list_others(collected.outputs, lineage.outputs)), **lineage.outputs}
    if not inputs and not outputs:
        return None
    return {
        "inputs": inputs[:MAX_ASSETS],
        "outputs": dict(islice(outputs.items(), MAX_ASSETS)),
        "subject": lineage.subject,
    }


def restore_lineage(hook: SelfHostedHook, saved: Mapping[str, Any] | None) -> None:
    """Record in this process what an earlier process of the task, or an earlier try, has recorded.

    :param hook: the task's hook
    :param saved: the result of `save_lineage`; None = nothing
    """
    if not saved:
        return
    lineage = lineage_of(hook)
    lineage.inputs.update(dict.fromkeys(saved["inputs"]))
    lineage.outputs.update(saved["outputs"])
    lineage.subject = lineage.subject or saved["subject"]
    collector = _collector()
    for uri in saved["inputs"]:
        with suppress(ValueError):
            collector.add_input_asset(context=hook, uri=uri)
    for uri in saved["outputs"]:
        with suppress(ValueError):
            collector.add_output_asset(context=hook, uri=uri)


def _list_others(collected: Iterable[Any], known: Mapping[str, Any]) -> list[str]:
    """Return the URIs of collected assets that the task has not recorded."""
    return list(dict.fromkeys(uri for found in collected if (uri := _normalize(found.asset.uri)) not in known))


def _normalize(uri: str) -> str:
    return str(resolve_path(uri).absolute().as_uri()) if is_local(uri) else USER_INFO.sub("", uri)


def _records_itself(hook: SelfHostedHook, uri: str) -> bool:
    """Whether Airflow records a file by itself: those of object stores, when they are opened."""
    return uri.partition("://")[0] not in {"file", hook.conn_type}


def _collector() -> Any:
    from airflow.providers.common.compat.sdk import get_hook_lineage_collector  # slow

    return get_hook_lineage_collector()
