"""The base of every operator of AYON: hook, connection argument and link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from self_hosted.core.tasks.operator import SelfHostedLink, SelfHostedOperator


class AyonLink(SelfHostedLink):
    """Opens the project in AYON."""

    name = "Open in AYON"


class AyonOperator(SelfHostedOperator):
    """Does one thing in AYON.

    :param ayon_conn_id: the Airflow connection
    """

    hook_class = "self_hosted.ayon.hook.AyonHook"
    operator_extra_links = (AyonLink(),)
    template_fields: Sequence[str] = ("ayon_conn_id",)
    ui_color = "#e5f7f1"

    def __init__(self, *, ayon_conn_id: str = "ayon_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ayon_conn_id = ayon_conn_id
