"""Plans in several files, for several tasks at the same time; whole subtrees are in one file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from self_hosted.core.sync import diff
from self_hosted.core.sync.plan_file import PlanInfo, write_plan
from self_hosted.core.sync.plan_header import PlanHeader
from self_hosted.core.sync.workspace import Workspace

PLACE = "{shard}"
MOVES_AND_DELETIONS = """
SELECT 1 FROM absent JOIN changes WHERE absent.do = 'delete' AND up IS NOT NULL AND changes.do != 'create' LIMIT 1
"""


def write_shards(workspace: Workspace, uri: str, header: PlanHeader, shards: int) -> list[PlanInfo]:
    """Write the plan of a comparison as several files, each of which can be applied by itself.

    :param workspace: of the comparison
    :param uri: where they are written, see `shard_uri`
    :param header: of the whole plan
    :param shards: number of files
    :raises ValueError: if the order of the files matters; see also `plan_file.write_plan`
    """
    if shards > 1 and workspace.connection.execute(MOVES_AND_DELETIONS).fetchone():
        raise ValueError("shards must be 1: records of a tree move, and their former parents may be deleted")
    return [_write_shard(workspace, uri, header, {"number": number + 1, "total": shards}) for number in range(shards)]


def shard_uri(uri: str, number: int, total: int) -> str:
    """Return where a part of a plan is written.

    >>> shard_uri("s3://plans/run-1.jsonl.gz", 2, 8)
    's3://plans/run-1.2-of-8.jsonl.gz'

    :param uri: of the plan; ``{shard}`` is replaced, else the number is put before the ending
    :param number: of the part, from 1
    :param total: number of all parts
    """
    name = f"{number}-of-{total}"
    if PLACE in uri:
        return uri.replace(PLACE, name)
    if total == 1:
        return uri
    folder, slash, file = uri.rpartition("/")
    ending = "".join(PurePosixPath(file).suffixes[-2:]) if file.endswith(".gz") else PurePosixPath(file).suffix
    return f"{folder}{slash}{file.removesuffix(ending)}.{name}{ending}"


def _write_shard(workspace: Workspace, uri: str, header: PlanHeader, shard: dict[str, int]) -> PlanInfo:
    changes, settled = diff.changes(workspace, shard), diff.settled(workspace, shard)
    number, total = shard["number"], shard["total"]
    return write_plan(shard_uri(uri, number, total), replace(header, shard=(number, total)), changes, settled)
