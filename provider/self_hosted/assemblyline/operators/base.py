"""The base of every Assemblyline operator: hook, connection argument and link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from self_hosted.core.tasks.operator import SelfHostedLink, SelfHostedOperator


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

    @property
    def base_url(self) -> str:
        """The server's address, for links."""
        return self.hook.settings.address.base_url
