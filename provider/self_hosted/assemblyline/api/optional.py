"""What only some servers offer: without it they don't know the address, or say that it is switched off."""

from __future__ import annotations

from typing import Any

from self_hosted.assemblyline.api.envelope import asked
from self_hosted.core.errors import Broken, Forbidden, Invalid, NotFound
from self_hosted.core.flow import Flow, Request

OFF = ("Api does not exist", "not configured for this system", "Archiving is disabled")


def asked_if_on(feature: str, request: Request) -> Flow[Any]:
    """Send, and take the result out of the envelope; say so when the server lacks the feature.

    :param feature: what an administrator knows it by
    :param request: what to send
    :raises Invalid: when it is switched off
    """
    try:
        return (yield from asked(request))
    except (NotFound, Forbidden, Broken) as error:
        if any(words in error.words for words in OFF):
            raise Invalid(f"{feature} is not enabled on this server ({error})") from None
        raise
