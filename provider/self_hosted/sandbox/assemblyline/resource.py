"""The base class of the resources of the API."""

from __future__ import annotations

from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.ports import Server
from self_hosted.sandbox.fake_server import Table


class Resource:
    """A group of handlers with `route` decorators, such as the alerts.

    A handler takes the request and the session. It returns the value of ``api_response`` or a whole response, or raises
    an `ApiError`. Options of `route`:

    - ``role``: the required role
    - ``counted``: whether the request counts toward the daily quota of API calls (default True)

    Every subclass in a module of `resources` belongs to the API. Its data is in ``state``, by the class variable
    ``name``. ``base_path`` precedes the paths of its routes, and ``role_prefix`` its roles.

    :param server: owner of the data
    """

    name: ClassVar[str]
    base_path: ClassVar[str] = "/api/v4"
    role_prefix: ClassVar[str] = ""

    def __init__(self, server: Server) -> None:
        self.server = server

    @classmethod
    def create_state(cls) -> Any:
        """Return the data of a fresh server, which can be pickled."""
        return {}

    @property
    def state(self) -> Any:
        """The data of the resource."""
        return self.server.state[self.name]

    def seed(self, data: Any) -> None:
        """Add data for a test or a demo. Default: there is none.

        :param data: value under the name of the resource
        """

    def check_available(self, request: Request) -> None:
        """Raise an error if the server does not offer the resource. Default: it does."""

    def get_documents(self) -> dict[str, list[dict[str, Any]]]:
        """Return the documents that searches find: name of the index to documents."""
        return {}

    def build_table(self) -> Table | None:
        """Return the rows for the page of the sandbox, newest first. Default: there is no table."""
        return None
