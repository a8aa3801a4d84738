"""How AtroCore is asked and how it answers: JSON for success, plain text with X-Status-Reason for everything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

    from self_hosted.sandbox.atrocore.state import State

NOT_OF_THE_SCHEMA = 'Body does not match schema for content-type "application/json" for '


class Refused(Exception):
    """An error answer.

    :param status: HTTP status
    :param text: the reason; often empty
    """

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status, self.text = status, text


@dataclass(frozen=True)
class Call:
    """One request, read."""

    method: str
    route: str
    entity: str
    id: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: Any

    @classmethod
    def of(cls, request: Request, body: bytes) -> Call:
        """Read it; malformed JSON is refused."""
        try:
            data = json.loads(body) if body else None
        except ValueError as problem:
            raise Refused(400, f"JSON parsing failed: {problem}") from None
        path, query = request.path_params, request.query_params.multi_items()
        route = request.scope["path"].rpartition("/")[2]
        return cls(request.method, route, path.get("entity", ""), path.get("id", ""), query, request.headers, data)

    def parameter(self, name: str, otherwise: str = "") -> str:
        """One query parameter."""
        return next((value for key, value in self.query if key == name), otherwise)


def answer(data: Any) -> Response:
    """A success, which is always 200."""
    return Response(json.dumps(data), media_type="application/json")


def not_modified() -> Response:
    """An update that changed nothing."""
    return Response(status_code=304)


def refusal(refused: Refused, *, bare: bool) -> Response:
    """An error.

    :param bare: whether the text is in the header alone, as in the founding dialect
    """
    reason = " ".join(refused.text.split()).encode("latin-1", "replace").decode("latin-1")
    headers = {"X-Status-Reason": reason} if reason else {}
    return Response("" if bare else refused.text, refused.status, headers, media_type="text/html")


def fails_after_the_work(state: State, call: Call, done: Response) -> Response:
    """The answer, unless a seeded fault spoils it: both kinds come after the work was done."""
    if call.method == "GET" or not state.faults:
        return done
    fault = state.faults[0]
    fault["times"] = fault.get("times", 1) - 1
    if not fault["times"]:
        state.faults.pop(0)
    if fault["kind"] == "create-then-500":
        raise Refused(500, "Call to a member function get() on null")
    raise Refused(400, f"{NOT_OF_THE_SCHEMA}Response [{call.method.lower()} /{call.route} 200]")


def seconds_it_takes(state: State, call: Call, done: Response) -> float:
    """How long a server with the seeded costs is busy with this."""
    written = len(call.body) if isinstance(call.body, list) else call.method != "GET"
    listed = bytes(done.body).count(b'"id": ') if call.method == "GET" else 0
    costs = state.costs
    return costs.get("request", 0) + written * costs.get("written", 0) + listed * costs.get("listed", 0)
