"""The safelist: signatures, in addition to the common routes of lists."""

from __future__ import annotations

from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.lists.hashes import create_id
from self_hosted.sandbox.assemblyline.lists.resource import ListResource
from self_hosted.sandbox.routing import route

ID_LENGTHS = {64, 40, 32}


class Safelist(ListResource):
    """The safelist."""

    name: ClassVar[str] = "safelist"
    base_path: ClassVar[str] = "/api/v4/safelist"
    role_prefix: ClassVar[str] = "safelist_"

    @route("GET", "/signature/{signature}/", role="view")
    async def get_entry_of_signature(self, request: Request, session: Session) -> Any:
        """Return the entry of a signature."""
        return self.get_entry(create_id(f"signature: {request.path_params['signature']}"))

    def get_id(self, request: Request) -> str:
        """Return the id in the path, which must have the length of a hash."""
        id_ = super().get_id(request)
        if len(id_) not in ID_LENGTHS:
            raise ApiError(400, "Invalid hash length", None)
        return id_
