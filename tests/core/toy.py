"""A toy product with a stand-in, a hook, a question, an operator and a sensor: what the tests of the core work on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, ClassVar

from airflow.providers.common.compat.sdk import Context
from starlette.requests import Request as Asked
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from self_hosted.core.auth import Auth, HeaderAuth, LoginAuth
from self_hosted.core.connection import Settings
from self_hosted.core.errors import ProductError
from self_hosted.core.flow import Flow, Reply, Request, url_path
from self_hosted.core.form import ConnectionForm, choice, number, switch, text, transport_fields
from self_hosted.core.hook import ProductHook, published
from self_hosted.core.operator import ProductLink, ProductOperator, publish_link
from self_hosted.core.question import Question, Seen
from self_hosted.core.sensor import ProductSensor
from self_hosted.core.waiting import WaitingOperator
from self_hosted.sandbox.stand_in import StandIn, Table

USER, PASSWORD, API_KEY = "bo", "toy-password", "toy-api-key"

FORM = ConnectionForm(
    conn_type="toy",
    hook_name="Toy",
    hook_class="tests.core.toy.ToyHook",
    fields={
        "api_key": text("API key", "Instead of user and password.", secret=True),
        "flavour": choice("Flavour", "What it tastes of.", ["sweet", "sour"]),
        "loud": switch("Loud", "Whether it makes noise.", default=False),
        "size": number("Size", "In bricks.", default=3, least=1),
        **transport_fields(),
    },
    relabeling={"host": "Base URL"},
    hidden=("schema",),
    placeholders={"host": "https://toy.example.com"},
)


class Toy(StandIn):
    """Jobs that take as many looks as asked for, files, logins, and a memory of every request."""

    name = "toy"

    def reset(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.asked: list[dict[str, Any]] = []
        self.sessions: set[str] = set()
        self.content = b"content " * 100_000
        self.cut_off: list[int] = []

    def seed(self, data: dict[str, Any]) -> None:
        """Jobs by id: {"looks": how many looks until it is done, "state": the state it ends in}."""
        for job_id, job in data["jobs"].items():
            self.jobs[job_id] = {"looks": 0, "state": "done", **job}

    def end_sessions(self) -> None:
        self.sessions.clear()

    def tables(self) -> dict[str, Table]:
        return {"jobs": [{"id": job_id, **job} for job_id, job in self.jobs.items()]}

    def connection(self, base_url: str) -> dict[str, Any]:
        return {
            "conn_type": "toy",
            "host": f"{base_url}/toy",
            "login": USER,
            "password": PASSWORD,
            "extra": {"retry_budget": 2, "read_timeout": 5},
        }

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/login", self.login, methods=["POST"]),
            Route("/whoami", self.whoami),
            Route("/jobs", self.states),
            Route("/jobs", self.start, methods=["POST"]),
            Route("/jobs/{job_id:path}/cancel", self.cancel, methods=["POST"]),
            Route("/echo", self.echo, methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/echo/{rest:path}", self.echo),
            Route("/parts", self.parts, methods=["POST"]),
            Route("/swallow", self.swallow, methods=["POST"]),
            Route("/file", self.file),
            Route("/page", self.page),
            Route("/moved", self.moved, methods=["GET", "POST"]),
        ]

    def times(self, method: str, path: str) -> int:
        """How many such requests got an answer, or were carried out at least."""
        return sum(asked["method"] == method and asked["path"] == path for asked in self.asked)

    def note(self, asked: Asked) -> None:
        path = asked.scope["path"].removeprefix(asked.scope["root_path"])
        self.asked.append({"method": asked.method, "path": path, "headers": dict(asked.headers)})

    def signed_in(self, asked: Asked) -> bool:
        self.note(asked)
        return asked.headers.get("x-key") == API_KEY or asked.headers.get("x-session") in self.sessions

    async def login(self, asked: Asked) -> Response:
        self.note(asked)
        if await asked.json() != {"user": USER, "password": PASSWORD}:
            return JSONResponse({"error": "wrong user or password"}, 401)
        session = f"session-{len(self.asked)}-of-{USER}"
        self.sessions.add(session)
        return JSONResponse({"session": session, "stamp": f"stamp-{session}"})

    async def whoami(self, asked: Asked) -> Response:
        if not self.signed_in(asked):
            return JSONResponse({"error": "who are you?"}, 401)
        return JSONResponse({"user": USER, "brick": {"red": 2, "blue": 3}})

    async def states(self, asked: Asked) -> Response:
        if not self.signed_in(asked):
            return JSONResponse({"error": "who are you?"}, 401)
        known = [job_id for job_id in asked.query_params.getlist("id") if job_id in self.jobs]
        return JSONResponse({job_id: self._look(job_id) for job_id in known})

    def _look(self, job_id: str) -> str:
        job = self.jobs[job_id]
        job["looks"] -= 1
        return str(job["state"]) if job["looks"] < 0 else "running"

    async def start(self, asked: Asked) -> Response:
        if not self.signed_in(asked):
            return JSONResponse({"error": "who are you?"}, 401)
        job = await asked.json()
        if job["name"] == "forbidden":
            return JSONResponse({"error": "not this one"}, 403)
        job_id = f"job/{len(self.jobs) + 1}"
        self.seed({"jobs": {job_id: {"looks": job.get("looks", 0), "state": job.get("state", "done")}}})
        return JSONResponse({"id": job_id})

    async def cancel(self, asked: Asked) -> Response:
        if not self.signed_in(asked):
            return JSONResponse({"error": "who are you?"}, 401)
        job = self.jobs.get(asked.path_params["job_id"])
        if job is None:
            return JSONResponse({"error": "no such job"}, 404)
        job.update(looks=0, state="cancelled")
        return JSONResponse({})

    async def echo(self, asked: Asked) -> Response:
        self.note(asked)
        body = (await asked.body()).decode()
        raw = asked.scope["raw_path"].decode()
        query = [list(pair) for pair in asked.query_params.multi_items()]
        reply = JSONResponse({"path": raw, "query": query, "headers": dict(asked.headers), "body": body})
        reply.set_cookie("crumb", "do-not-send-me-back")
        return reply

    async def parts(self, asked: Asked) -> Response:
        self.note(asked)
        seen = {}
        async with asked.form() as form:
            for name, part in form.items():
                seen[name] = part if isinstance(part, str) else [part.filename, part.content_type, part.size]
        return JSONResponse(seen)

    async def swallow(self, asked: Asked) -> Response:
        self.note(asked)
        size, digest = 0, hashlib.sha256()
        async for chunk in asked.stream():
            size += len(chunk)
            digest.update(chunk)
        return JSONResponse({"size": size, "sha256": digest.hexdigest()})

    async def file(self, asked: Asked) -> Response:
        self.note(asked)
        return CutOff(self.content, self.cut_off.pop()) if self.cut_off else Response(self.content)

    async def page(self, asked: Asked) -> Response:
        self.note(asked)
        return HTMLResponse("<html>a page</html>")

    async def moved(self, asked: Asked) -> Response:
        self.note(asked)
        return RedirectResponse("https://elsewhere.example.com/toy", 301)


class CutOff(Response):
    """Promises the whole content, sends a part of it and hangs up."""

    def __init__(self, content: bytes, sent: int) -> None:
        super().__init__(content)
        self.sent = sent

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body[: self.sent]), "more_body": True})
        cycle = receive.__self__  # see sandbox/faults.py
        cycle.response_complete = True
        cycle.transport.close()


# flows


def sent(request: Request) -> Flow[Reply]:
    """The reply to any request."""
    return (yield request)


def asked_json(request: Request) -> Flow[Any]:
    """The JSON that a request is answered with."""
    return (yield request).json()


def bricks(user: str, limit: int = 10) -> Flow[dict[str, int]]:
    """The bricks of a user.

    :param user: whose
    :param limit: how many at most
    :return: colour to count
    """
    found = (yield Request("GET", "/whoami", query={"user": user, "limit": limit})).json()
    return dict(found["brick"])


def started(name: str, looks: int, state: str) -> Flow[str]:
    """Start a job and return its id."""
    reply = yield Request("POST", "/jobs", json={"name": name, "looks": looks, "state": state})
    return str(reply.json()["id"])


def looked(job_ids: Sequence[str]) -> Flow[dict[str, Seen]]:
    """The states of many jobs."""
    states = (yield Request("GET", "/jobs", query={"id": list(job_ids)})).json()
    return {job_id: Seen(state, state not in {"queued", "running"}, {"id": job_id}) for job_id, state in states.items()}


def cancelled(job_id: str) -> Flow[None]:
    """Cancel a job."""
    yield Request("POST", url_path("jobs", job_id) + "/cancel", repeatable=True)


def error_of(reply: Reply) -> ProductError | None:
    """What the toy's status says, with its words."""
    return reply.plain_error(reply.json().get("error", "") if reply.is_json else "")


class ToyLogin(LoginAuth):
    """A session for a user and a password."""

    def __init__(self, user: str, password: str) -> None:
        super().__init__()
        self.user, self.password = user, password

    def login(self) -> Flow[Mapping[str, str]]:
        """Sign in."""
        reply = yield Request("POST", "/login", json={"user": self.user, "password": self.password}, repeatable=True)
        return {"X-Session": reply.json()["session"], "X-Stamp": reply.json()["stamp"]}


class ToyHook(ProductHook):
    """The toy's hook."""

    form = FORM

    def __init__(self, toy_conn_id: str = "toy_default") -> None:
        super().__init__(toy_conn_id)

    def auth(self, settings: Settings) -> Auth:
        """A key, or a login."""
        if settings.extra["api_key"]:
            return HeaderAuth({"X-Key": settings.extra["api_key"]})
        if not settings.login:
            raise ValueError("the connection needs an API key, or a user and a password")
        return ToyLogin(settings.login, settings.password)

    error_of = staticmethod(error_of)

    def signed_in(self) -> Flow[str]:
        """Say who one is."""
        who = (yield Request("GET", "/whoami")).json()
        return f"Signed in as {who['user']}."

    bricks = published(bricks)


JOB = Question("tests.core.toy.ToyHook", "job", looked, cancelled)
STUBBORN = Question("tests.core.toy.ToyHook", "stubborn job", looked)
SMALL = Question("tests.core.toy.ToyHook", "job", looked, cancelled, chunk=2)


class ToyLink(ProductLink):
    """The button to the toy."""

    name = "Toy"


class BuildOperator(ProductOperator):
    """Starts a job and leaves it alone."""

    template_fields = ("job",)
    hook_class = "tests.core.toy.ToyHook"
    operator_extra_links = (ToyLink(),)

    def __init__(self, *, job: str, toy_conn_id: str = "toy_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job, self.toy_conn_id = job, toy_conn_id

    def check(self) -> None:
        if not self.job:
            raise ValueError("job must be the name of a job, not ''")

    def start(self, context: Context) -> dict[str, Any]:
        job_id = self.hook.run(started(self.job, 0, "done"))
        publish_link(context, f"https://toy.example.com/{job_id}")
        return {"id": job_id}


class BuildAndWaitOperator(WaitingOperator):
    """Starts a job and waits for it; a job called "nothing" needs no wait."""

    template_fields = ("job",)
    hook_class = "tests.core.toy.ToyHook"
    question = "tests.core.toy.JOB"
    operator_extra_links = (ToyLink(),)

    def __init__(
        self, *, job: str, looks: int = 0, state: str = "done", toy_conn_id: str = "toy_default", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.job, self.looks, self.state, self.toy_conn_id = job, looks, state, toy_conn_id

    def start(self, context: Context) -> dict[str, Any]:
        return {"id": None if self.job == "nothing" else self.hook.run(started(self.job, self.looks, self.state))}

    def key_of(self, started: dict[str, Any]) -> str | None:
        return started["id"]  # type: ignore[no-any-return]

    def page_of(self, started: dict[str, Any]) -> str:
        return f"https://toy.example.com/{started['id']}"

    def finish(self, context: Context, started: dict[str, Any], seen: Seen) -> dict[str, Any]:
        return {**started, "state": seen.state, **seen.facts}


class StubbornOperator(BuildAndWaitOperator):
    """The same for jobs that cannot be cancelled."""

    question = "tests.core.toy.STUBBORN"


class JobSensor(ProductSensor):
    """Waits for a job."""

    template_fields = ("job_id", "toy_conn_id")
    question: ClassVar[str] = "tests.core.toy.JOB"

    def __init__(self, *, job_id: str, toy_conn_id: str = "toy_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_id, self.toy_conn_id = job_id, toy_conn_id

    def check(self) -> None:
        if not self.job_id:
            raise ValueError("job_id must be the id of a job, not ''")

    def key(self) -> str:
        return self.job_id

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        if seen.state == "broken":
            raise ValueError(f"job {self.job_id} is broken")
        return {"state": seen.state, "url": f"{base_url}/jobs/{self.job_id}"}


class Zeros:
    """A file of zeros that takes no space, as an object store gives them: it can be read, and nothing else."""

    def __init__(self, size: int) -> None:
        self.left = size

    def __enter__(self) -> Zeros:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, size: int = -1) -> bytes:
        size = self.left if size < 0 else min(size, self.left)
        self.left -= size
        return bytes(size)


def zeros(size: int) -> BinaryIO:
    """A file of zeros."""
    return Zeros(size)  # type: ignore[return-value]
