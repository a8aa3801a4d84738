"""The part of the server that resources and middleware use."""

from __future__ import annotations

from typing import Any, Protocol

from self_hosted.sandbox.assemblyline.authentication import Authentication
from self_hosted.sandbox.assemblyline.quotas import Quotas
from self_hosted.sandbox.assemblyline.submissions.store import SubmissionStore


class Server(Protocol):
    """The data of the server. A reset replaces all of it, so that users must not keep references to it.

    ``configuration`` has flat keys. ``state`` has the data of each resource by the name of the resource.
    """

    authentication: Authentication
    quotas: Quotas
    configuration: dict[str, Any]
    store: SubmissionStore
    state: dict[str, Any]

    def get_documents(self, index: str) -> list[dict[str, Any]]:
        """Return the documents of an index that searches find.

        :param index: name of the index
        """
