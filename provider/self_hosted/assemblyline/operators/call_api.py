"""Call any endpoint of Assemblyline's API."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.api_operator import SelfHostedApiOperator

if TYPE_CHECKING:
    from self_hosted.assemblyline import errors
    from self_hosted.core.http.flow import Flow, Request
else:
    errors = lazy_import("self_hosted.assemblyline.errors")


class AssemblylineApiOperator(AssemblylineOperator, SelfHostedApiOperator):
    """Calls any endpoint of Assemblyline's API; ``/api/v4/...``.

    The other arguments are those of `SelfHostedApiOperator`: ``method``, ``query``, ``json``, ``output_uri``,
    ``confirm``, ``idempotent``. Some GETs of this API have side effects, such as submit/resubmit, alert/ownership and
    ingest/get_message: they count as writes, and need ``confirm=True``.

    :param path: such as "service/all" or "/api/v4/service/all/"
    :param assemblyline_conn_id: the Airflow connection
    :return: the ``api_response`` of the response, or `SavedResponse`. A JSON response in a file is complete, with its
        envelope
    :raises AirflowFailException: for invalid arguments, a rejected request, and a response that is too large
    """

    template_fields: Sequence[str] = (*AssemblylineOperator.template_fields, *SelfHostedApiOperator.template_fields)
    root: ClassVar[str] = "/api/v4"
    ending: ClassVar[str] = "/"
    unsafe_gets: ClassVar[re.Pattern[str]] = re.compile(
        r"/api/v4/(submit/(resubmit|dynamic)/.*|alert/ownership/.*|(ingest|live)/get_message(_list)?/.*"
        r"|signature/(change|clear)_status/.*|service/update_all/|workflow/.*/run/|user/tos/.*|auth/.*|webauthn/.*)"
    )

    def call(self, request: Request) -> Flow[Any]:
        """Return the flow that sends the request and returns the response without its envelope.

        :param request: the request
        """
        return errors.call(request, object)
