"""The base of every AtroCore operator: hook, connection argument and link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from self_hosted.core.tasks.operator import SelfHostedLink, SelfHostedOperator


class AtrocoreLink(SelfHostedLink):
    """Opens the list of the entity's records in AtroCore."""

    name = "Open in AtroCore"


class AtrocoreOperator(SelfHostedOperator):
    """Does one thing in AtroCore.

    :param atrocore_conn_id: the Airflow connection
    """

    hook_class: ClassVar[str] = "self_hosted.atrocore.hook.AtrocoreHook"
    operator_extra_links = (AtrocoreLink(),)
    template_fields: Sequence[str] = ("atrocore_conn_id",)

    def __init__(self, *, atrocore_conn_id: str = "atrocore_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.atrocore_conn_id = atrocore_conn_id
