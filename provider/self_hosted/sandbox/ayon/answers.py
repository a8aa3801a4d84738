"""How the stand-in says no: the several bodies of the real server, which tell more than its statuses."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

ABORTED = "current transaction is aborted, commands ignored until end of transaction block"


class Refusal(Exception):
    """An answer that is an error.

    :param response: what to answer
    """

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class Outage(PlainTextResponse):
    """What an unhandled failure outside all handlers looks like: plain text, and a connection that ends unannounced."""

    def __init__(self) -> None:
        super().__init__("Internal Server Error", 500)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, then close the connection that the client means to keep."""
        await super().__call__(scope, receive, send)
        cycle: Any = receive.__self__  # type: ignore[attr-defined]  # uvicorn's, which holds the connection
        cycle.transport.close()


def refused(status: int, detail: str, **more: Any) -> Refusal:
    """An error as most are: its code and a sentence."""
    return Refusal(JSONResponse({"code": status, "detail": detail, **more}, status))


def malformed(request: Request, problems: dict[str, str]) -> Refusal:
    """A request that does not fit its model, with all that is wrong about it: field to message."""
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    return refused(
        400,
        f"Request validation error in [{request.method}] {path}",
        path=path,
        traceback="\n".join(f"{field}: {problem}" for field, problem in problems.items()),
        errors=[{"loc": ["body", *field.split(".")], "msg": m, "type": "value_error"} for field, m in problems.items()],
    )


def bug(kind: str, detail: str) -> Refusal:
    """An exception that nobody expected, with a traceback for everybody to read."""
    words = f"{kind}: {detail}"
    return Refusal(JSONResponse({"status": 500, "detail": words, "traceback": f"{words}\n\nserver/file.py:1"}, 500))


def aborted() -> Refusal:
    """What a breach of uniqueness in the database ends with; it does not say of what."""
    return bug("asyncpg.exceptions.InFailedSQLTransactionError", ABORTED)
