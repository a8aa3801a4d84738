"""The records of files, with the fields that follow from their contents."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.atrocore.access import Access
from self_hosted.sandbox.atrocore.file_contents import decode_upload, describe_content
from self_hosted.sandbox.atrocore.hooks import HOOKS, Hooks, Values
from self_hosted.sandbox.atrocore.record_index import to_text
from self_hosted.sandbox.atrocore.record_store import Saved, create_record
from self_hosted.sandbox.atrocore.state import Record, State

CONTENT = "_content"  # of a file that is being created, among its values
OLD_STORAGE, STORAGE = "a_base", "019c320a-707f-735f-becb-3aabd0f0c79c"


class FileHooks(Hooks):
    """The rules of files."""

    def before_create(self, state: State, values: Values) -> Values:
        """Decode the content.

        :raises ApiError: if there is none
        """
        if CONTENT not in values and values.get("name"):
            values[CONTENT] = decode_upload(state, values.get("fileContents"))
        return {"storageId": STORAGE if state.is_new else OLD_STORAGE, **values}

    def after_create(self, state: State, record: Record, values: Values) -> None:
        """Store the content. A seeded file has no content, unless the seed contains one."""
        content = values.get(CONTENT)
        if content is None:
            content = decode_upload(state, values["fileContents"]) if "fileContents" in values else b""
        set_content(state, record, content)

    def render(self, state: State, record: Record, rendered: Values) -> Values:
        """Add the address of the content."""
        name, file_id = str(record.get("name")), record["id"]
        extension = name.rpartition(".")[2] if "." in name else ""
        address = f"/downloads/{file_id}.{extension}" if state.is_new else f"/?entryPoint=download&id={file_id}"
        return {**rendered, "extension": extension, "downloadUrl": address}


class FolderHooks(Hooks):
    """The rules of folders."""

    def before_create(self, state: State, values: Values) -> Values:
        """Set the storage."""
        return {"storageId": STORAGE if state.is_new else OLD_STORAGE, **values}


class SharingHooks(Hooks):
    """The rules of public links."""

    def render(self, state: State, record: Record, rendered: Values) -> Values:
        """Add the address."""
        return {**rendered, "link": f"/?entryPoint=sharing&id={record['id']}"}


HOOKS |= {"File": FileHooks(), "Folder": FolderHooks(), "Sharing": SharingHooks()}


def store_file(state: State, values: dict[str, Any], content: bytes, access: Access | None = None) -> Saved:
    """Create a file.

    :param access: the rights of the user; all by default
    :raises ApiError: if a value is invalid
    """
    return create_record(state, "File", {**values, CONTENT: content}, access)


def set_content(state: State, record: Record, content: bytes) -> None:
    """Set the content of a file, and the fields that follow from it."""
    state.file_contents[record["id"]] = content
    path = f"{record['id']}/{len(content)}"
    described = describe_content(state.core, str(record.get("name")), content)
    type_id = record.get("typeId") or described.pop("typeId", None)
    record |= {**described, "typeId": type_id, "fileMtime": state.timestamp(), "path": path, "thumbnailsPath": path}
    state.index.update("File", record)


def find_same_content(state: State, record: Record) -> Record | None:
    """Return another file with the same content, or None."""
    candidates = state.index.find("File", "hash", [record["hash"]], to_text)
    others = (one for one in candidates if one is not record and not one["deleted"])
    return next((one for one in others if one.get("hash") == record["hash"]), None)
