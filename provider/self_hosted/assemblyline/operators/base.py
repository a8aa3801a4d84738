"""The base of every Assemblyline operator: hook, connection argument and link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from self_hosted.core.arguments import parse_optional_text
from self_hosted.core.tasks.operator import SelfHostedLink, SelfHostedOperator
from self_hosted.core.tasks.storage import parse_optional_uri


class AssemblylineLink(SelfHostedLink):
    """Opens the task's submission, alert, file or search in Assemblyline."""

    name = "Open in Assemblyline"


class AssemblylineOperator(SelfHostedOperator):
    """The base of every Assemblyline operator.

    :param assemblyline_conn_id: the Airflow connection
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)
    template_fields: Sequence[str] = ("assemblyline_conn_id",)

    def __init__(self, *, assemblyline_conn_id: str = "assemblyline_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.assemblyline_conn_id = assemblyline_conn_id

    def text(self, name: str) -> str | None:
        """Return an optional argument as text; None if it is not set.

        :param name: name of the argument
        :raises ValueError: if its value is no text
        """
        return parse_optional_text(name, getattr(self, name))

    def uri(self, name: str) -> str | None:
        """Return where the file of an optional argument is; None if it is not set.

        :param name: name of the argument
        :raises ValueError: if its value is no path and no URI
        """
        return parse_optional_uri(name, getattr(self, name))

    @property
    def base_url(self) -> str:
        """The server's address, for links."""
        return self.hook.settings.address.base_url
