"""Download a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.core.arguments import parse_bool, parse_id
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.operator import publish_link
from self_hosted.core.tasks.storage import atomic_writer, parse_max_size, record_output, resolve_path

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

    :param sha256: hash of the file, in hex digits
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

    def __init__(
        self,
        *,
        sha256: str,
        folder: str,
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
        files.parse_sha256(self.sha256)
        self._sid()
        parse_max_size(self.max_size)
        downloads.check_arguments(self.encoding, self.zip_password or None)
        if not parse_bool("raw_malware", self.raw_malware) and self.encoding == "raw":
            raise ValueError("encoding 'raw' is the malware itself: set raw_malware=True to download it")
        if not isinstance(self.folder, str) or not self.folder:
            raise ValueError(f"folder must be the path of a folder, not {self.folder!r}")
        if self.name and (not FILE_NAME.fullmatch(str(self.name)) or not str(self.name).strip(" .")):
            raise ValueError(f"name must be a file name without folders, not {self.name!r}")

    def submit(self, context: Context) -> DownloadedFile:
        """Download the file.

        :param context: the context of the task
        """
        sha256, path = files.parse_sha256(self.sha256), self._path()
        url = files.build_page_url(self.base_url, sha256)
        publish_link(context, url)
        self.hook.run(
            downloads.download(
                sha256,
                lambda: atomic_writer(path),
                encoding=self.encoding,
                name=self.name or None,
                sid=self._sid(),
                password=self.zip_password or None,
                max_size=parse_max_size(self.max_size),
            )
        )
        record_output(self.hook, path)
        size = resolve_path(path).stat().st_size
        return DownloadedFile(sha256=sha256, path=path, size=size, encoding=self.encoding, url=url)

    def _sid(self) -> str | None:
        return parse_id("sid", self.sid, "a submission") if self.sid else None

    def _path(self) -> str:
        name, suffix = str(self.name or files.parse_sha256(self.sha256)), SUFFIXES[self.encoding]
        return f"{self.folder.rstrip('/')}/{name}{'' if name.endswith(suffix) else suffix}"
