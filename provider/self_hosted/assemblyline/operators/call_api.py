"""Asking for whatever the other operators do not know."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.core.call_api import ProductApiOperator
from self_hosted.core.lazy import when_used

if TYPE_CHECKING:
    from self_hosted.assemblyline import api
    from self_hosted.core.flow import Flow, Request
else:
    api = when_used("self_hosted.assemblyline.api")


class AssemblylineApiOperator(ProductApiOperator):
    """Asks Assemblyline's API for anything; ``/api/v4/...``.

    The other arguments are those of `ProductApiOperator`: ``method``, ``query``, ``json``, ``output_file``,
    ``confirm``, ``repeatable``. Some GETs of this API change something, such as submit/resubmit, alert/ownership and
    ingest/get_message: they are treated as writes, and need ``confirm=True``.

    :param path: such as "service/all" or "/api/v4/service/all/"
    :param assemblyline_conn_id: the connection

    The result is the ``api_response`` of the answer, or ``{output_file, size}``; a JSON answer that goes to a file is
    there as the server sent it, with its envelope.

    :raises AirflowFailException: for wrong arguments, what Assemblyline refuses, and an answer that is too large
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)
    template_fields: Sequence[str] = (*ProductApiOperator.template_fields, "assemblyline_conn_id")
    root: ClassVar[str] = "/api/v4"
    ending: ClassVar[str] = "/"
    changing_gets: ClassVar[re.Pattern[str]] = re.compile(
        r"/api/v4/(submit/(resubmit|dynamic)/.*|alert/ownership/.*|(ingest|live)/get_message(_list)?/.*"
        r"|signature/(change|clear)_status/.*|service/update_all/|workflow/.*/run/|user/tos/.*|auth/.*|webauthn/.*)"
    )

    def __init__(self, *, path: str, assemblyline_conn_id: str = "assemblyline_default", **kwargs: Any) -> None:
        super().__init__(path=path, **kwargs)
        self.assemblyline_conn_id = assemblyline_conn_id

    def asked(self, request: Request) -> Flow[Any]:
        """Send, and take the result out of the envelope."""
        return api.asked(request)
