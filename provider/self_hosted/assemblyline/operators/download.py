"""Download a file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from self_hosted.assemblyline.operators import references
from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.core.arguments import parse_bool
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri
from self_hosted.core.tasks.lineage import record_input, record_output
from self_hosted.core.tasks.operator import publish_link
from self_hosted.core.tasks.storage import atomic_writer, parse_max_size, parse_uri, resolve_path

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.files import downloads, files
else:
    downloads = lazy_import("self_hosted.assemblyline.api.files.downloads")
    files = lazy_import("self_hosted.assemblyline.api.files.files")

SUFFIXES = {"cart": ".cart", "zip": ".zip", "raw": ""}

# one segment of a path; file systems allow 255 bytes, and the temporary name is 40 characters longer
FILE_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}")


class DownloadedFile(TypedDict):
    """A file that was downloaded.

    :param sha256: hash of the original content
    :param path: path or URI of the written file
    :param size: of the written file, in bytes
    :param encoding: cart, zip or raw
    :param url: page of the file
    """

    sha256: str
    path: str
    size: int
    encoding: str
    url: str


class AssemblylineDownloadFileOperator(AssemblylineOperator):
    """Downloads a file from Assemblyline, neutered by default; ``GET /api/v4/file/download/<sha256>/``.

    The content is streamed. The file appears once it is complete, and replaces an existing one; an interrupted download
    leaves no partial file. The content is verified: a raw file must have the requested SHA-256.

    :param sha256: hash of the file, in hex digits, or the result of a task that has one
    :param folder: a local folder, which is created, or one in an object store: ``s3://aws_default@bucket/quarantine``
    :param name: name of the written file, without folders; default: its SHA-256. ``.cart`` or ``.zip`` is appended
    :param encoding: "cart" (default) or "zip", which cannot be run by accident, or "raw": the malware itself
    :param raw_malware: must be true for "raw"; default: False
    :param zip_password: for "zip"; default: the one in the user's settings in Assemblyline. Take it from a connection:
        ``"{{ conn.quarantine.password }}"``. The API accepts it only in the URL, so that logs of the server and of
        proxies may contain it
    :param sid: id of a submission whose metadata the CaRT includes
    :param max_size: maximum size of the written file, in bytes; default: no limit
    :param assemblyline_conn_id: the Airflow connection
    :return: `DownloadedFile`
    :raises AirflowFailException: for invalid arguments, a file that the server does not have (any more), and a disabled
        encoding
    """

    template_fields: Sequence[str] = (
        *AssemblylineOperator.template_fields,
        "sha256",
        "folder",
        "name",
        "encoding",
        "raw_malware",
        "zip_password",
        "sid",
        "max_size",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"sha256": "json"}

    def __init__(
        self,
        *,
        sha256: str | Mapping[str, Any],
        folder: str | Path,
        name: str | None = None,
        encoding: str = "cart",
        raw_malware: bool | str = False,
        zip_password: str | None = None,
        sid: str | None = None,
        max_size: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sha256, self.folder, self.name, self.sid = sha256, folder, name, sid
        self.encoding, self.raw_malware, self.zip_password = encoding, raw_malware, zip_password
        self.max_size = max_size

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        references.parse_sha256(self.sha256)
        self._sid()
        parse_max_size(self.max_size)
        downloads.check_arguments(self.encoding, self.text("zip_password"))
        if not parse_bool("raw_malware", self.raw_malware) and self.encoding == "raw":
            raise ValueError("encoding 'raw' is the malware itself: set raw_malware=True to download it")
        parse_uri("folder", self.folder, is_folder=True)
        if self.text("name") and (not FILE_NAME.fullmatch(str(self.name)) or not str(self.name).strip(" .")):
            raise ValueError(f"name must be a file name without folders, not {self.name!r}")

    def submit(self, context: Context) -> DownloadedFile:
        """Download the file.

        :param context: the context of the task
        """
        sha256, path = references.parse_sha256(self.sha256), self._path()
        url = files.build_page_url(self.base_url, sha256)
        publish_link(context, url)
        record_input(self.hook, asset_uri(self.hook, "file", sha256))
        self.hook.run(
            downloads.download(
                sha256,
                lambda: atomic_writer(path),
                encoding=self.encoding,
                name=self.text("name"),
                sid=self._sid(),
                password=self.text("zip_password"),
                max_size=parse_max_size(self.max_size),
            )
        )
        record_output(self.hook, path)
        size = resolve_path(path).stat().st_size
        return DownloadedFile(sha256=sha256, path=path, size=size, encoding=self.encoding, url=url)

    def _sid(self) -> str | None:
        return references.parse_sid("sid", self.sid) if self.sid else None

    def _path(self) -> str:
        name, suffix = str(self.text("name") or references.parse_sha256(self.sha256)), SUFFIXES[self.encoding]
        folder = parse_uri("folder", self.folder, is_folder=True).rstrip("/")
        return f"{folder}/{name}{'' if name.endswith(suffix) else suffix}"
