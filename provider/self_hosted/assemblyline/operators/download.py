"""Downloading a file from Assemblyline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.core.arguments import check_id
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import ProductOperator, publish_link
from self_hosted.core.storage import note_written, path_of, written

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
else:
    api = when_used("self_hosted.assemblyline.api")

ENDINGS = {"cart": ".cart", "zip": ".zip", "raw": ""}

# one part of a path, which no file system takes for more; while it is written it has 40 characters more
NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}")


class AssemblylineDownloadFileOperator(ProductOperator):
    """Downloads a file that Assemblyline has, neutered; ``GET /api/v4/file/download/<sha256>/``.

    It is streamed, and is there once all of it is: a download that breaks off leaves nothing half, and what is there
    already is replaced at once. What comes is looked at: a raw file must have the SHA-256 that was asked for.

    :param sha256: of the file, in hex digits
    :param folder: where to put it: a folder on this machine, which is made, or in an object store, such as
        ``s3://aws_default@bucket/quarantine``
    :param name: what to call it there, without any folders; by default its SHA-256. ``.cart`` or ``.zip`` is added
    :param encoding: "cart" (the default) or "zip", which nothing can run by mistake, or "raw": the malware itself
    :param raw_malware: must be True for "raw"
    :param zip_password: for "zip"; by default that of the user's settings in Assemblyline. Take it from a connection:
        ``"{{ conn.quarantine.password }}"``. The server takes it only in the address, so that its logs, and those of
        proxies before it, may hold it
    :param sid: of a submission whose metadata is to be told in a CaRT
    :param assemblyline_conn_id: the connection

    The result is ``{sha256, path, size, encoding, url}``; ``size`` is that of the written file in bytes, ``url`` the
    page of the file.

    :raises AirflowFailException: for wrong arguments, a file that the server does not have (any more), and an encoding
        that its administrators have switched off
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)
    template_fields: Sequence[str] = (
        "sha256",
        "folder",
        "name",
        "encoding",
        "zip_password",
        "sid",
        "assemblyline_conn_id",
    )

    def __init__(
        self,
        *,
        sha256: str,
        folder: str,
        name: str | None = None,
        encoding: str = "cart",
        raw_malware: bool = False,
        zip_password: str | None = None,
        sid: str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sha256, self.folder, self.name = sha256, folder, name
        self.encoding, self.raw_malware, self.zip_password = encoding, raw_malware, zip_password
        self.sid, self.assemblyline_conn_id = sid, assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        api.checked_sha256(self.sha256)
        if self.sid:
            check_id("sid", self.sid, "a submission")
        api.check_download(self.encoding, self.zip_password or None)
        if self.encoding == "raw" and self.raw_malware is not True:
            raise ValueError("encoding 'raw' is the malware itself: set raw_malware=True if that is what you want")
        if not isinstance(self.folder, str) or not self.folder:
            raise ValueError(f"folder must be the path of a folder, not {self.folder!r}")
        if self.name and (not NAME.fullmatch(str(self.name)) or not str(self.name).strip(" .")):
            raise ValueError(f"name must be the plain name of a file, without folders, not {self.name!r}")

    def start(self, context: Context) -> dict[str, Any]:
        """Download it."""
        sha256, path = api.checked_sha256(self.sha256), self._path()
        url = api.file_url(self.hook.settings.address.base_url, sha256)
        publish_link(context, url)
        self.hook.run(
            api.download_file(
                sha256,
                lambda: written(path),
                encoding=self.encoding,
                name=self.name or None,
                sid=self.sid or None,
                password=self.zip_password or None,
            )
        )
        note_written(self.hook, path)
        size = path_of(path).stat().st_size
        return {"sha256": sha256, "path": path, "size": size, "encoding": self.encoding, "url": url}

    def _path(self) -> str:
        name, ending = str(self.name or api.checked_sha256(self.sha256)), ENDINGS[self.encoding]
        return f"{self.folder.rstrip('/')}/{name}{'' if name.endswith(ending) else ending}"
