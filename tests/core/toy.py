"""A toy product: fake server, hook, wait specs, operators and sensor, for the tests of the core."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, ClassVar

from airflow.providers.common.compat.sdk import Context
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from self_hosted.core.connection.form import ConnectionForm, choice, number, switch, text, transport_fields
from self_hosted.core.connection.hook import SelfHostedHook, hook_method
from self_hosted.core.connection.settings import Settings
from self_hosted.core.http.auth import Auth, HeaderAuth, LoginAuth
from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.flow import Flow, Reply, Request, url_path
from self_hosted.core.tasks.operator import SelfHostedLink, SelfHostedOperator, publish_link
from self_hosted.core.tasks.sensor import SelfHostedSensor
from self_hosted.core.tasks.waiting_operator import WaitingOperator
from self_hosted.core.wait.observation import Observation
from self_hosted.core.wait.spec import WaitSpec
from self_hosted.sandbox.fake_server import FakeServer, Table

USER, PASSWORD, API_KEY = "bo", "toy-password", "toy-api-key"

FORM = ConnectionForm(
    conn_type="toy",
    hook_name="Toy",
    hook_class="tests.core.toy.ToyHook",
    fields={
        "api_key": text("API key", "Replaces user and password.", secret=True),
        "flavour": choice("Flavour", "The flavour of the toy.", ["sweet", "sour"]),
        "loud": switch("Loud", "Whether the toy makes a noise.", default=False),
        "size": number("Size", "Number of bricks.", default=3, minimum=1),
        **transport_fields(),
    },
    relabeling={"host": "Base URL"},
    hidden=("schema",),
    placeholders={"host": "https://toy.example.com"},
)


class Toy(FakeServer):
    """A fake server with logins, files, and jobs that are done after some polls; it records every request."""

    name = "toy"

    def reset(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.requests: list[dict[str, Any]] = []
        self.sessions: set[str] = set()
        self.content = b"content " * 100_000
        self.truncate_at: list[int] = []
        """After how many bytes the next downloads are cut off."""

    def seed(self, data: dict[str, Any]) -> None:
        """Add jobs by id: {"polls": number of polls before it is done, "state": its last state}."""
        for job_id, job in data["jobs"].items():
            self.jobs[job_id] = {"polls": 0, "state": "done", **job}

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
            "extra": {"retry_timeout": 30, "read_timeout": 30},
        }

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/login", self.login, methods=["POST"]),
            Route("/whoami", self.whoami),
            Route("/jobs", self.list_states),
            Route("/jobs", self.create_job, methods=["POST"]),
            Route("/jobs/{job_id:path}/cancel", self.cancel, methods=["POST"]),
            Route("/echo", self.echo, methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/echo/{rest:path}", self.echo),
            Route("/parts", self.parts, methods=["POST"]),
            Route("/swallow", self.swallow, methods=["POST"]),
            Route("/file", self.file),
            Route("/page", self.page),
            Route("/moved", self.moved, methods=["GET", "POST"]),
        ]

    def count_requests(self, method: str, path: str) -> int:
        """Return the number of requests that were carried out, whether their responses arrived or not."""
        return sum(request["method"] == method and request["path"] == path for request in self.requests)

    def record(self, request: HttpRequest) -> None:
        path = request.scope["path"].removeprefix(request.scope["root_path"])
        self.requests.append({"method": request.method, "path": path, "headers": dict(request.headers)})

    def has_valid_credential(self, request: HttpRequest) -> bool:
        self.record(request)
        return request.headers.get("x-key") == API_KEY or request.headers.get("x-session") in self.sessions

    async def login(self, request: HttpRequest) -> Response:
        self.record(request)
        if await request.json() != {"user": USER, "password": PASSWORD}:
            return JSONResponse({"error": "wrong user or password"}, 401)
        session = f"session-{len(self.requests)}-of-{USER}"
        self.sessions.add(session)
        return JSONResponse({"session": session, "stamp": f"stamp-{session}"})

    async def whoami(self, request: HttpRequest) -> Response:
        if not self.has_valid_credential(request):
            return JSONResponse({"error": "not signed in"}, 401)
        return JSONResponse({"user": USER, "brick": {"red": 2, "blue": 3}})

    async def list_states(self, request: HttpRequest) -> Response:
        if not self.has_valid_credential(request):
            return JSONResponse({"error": "not signed in"}, 401)
        existing = [job_id for job_id in request.query_params.getlist("id") if job_id in self.jobs]
        return JSONResponse({job_id: self._poll(job_id) for job_id in existing})

    def _poll(self, job_id: str) -> str:
        job = self.jobs[job_id]
        job["polls"] -= 1
        return str(job["state"]) if job["polls"] < 0 else "running"

    async def create_job(self, request: HttpRequest) -> Response:
        if not self.has_valid_credential(request):
            return JSONResponse({"error": "not signed in"}, 401)
        job = await request.json()
        if job["name"] == "forbidden":
            return JSONResponse({"error": "this name is not allowed"}, 403)
        job_id = f"job-{len(self.jobs) + 1}"
        self.seed({"jobs": {job_id: {"polls": job.get("polls", 0), "state": job.get("state", "done")}}})
        return JSONResponse({"id": job_id})

    async def cancel(self, request: HttpRequest) -> Response:
        if not self.has_valid_credential(request):
            return JSONResponse({"error": "not signed in"}, 401)
        job = self.jobs.get(request.path_params["job_id"])
        if job is None:
            return JSONResponse({"error": "no such job"}, 404)
        job.update(polls=0, state="cancelled")
        return JSONResponse({})

    async def echo(self, request: HttpRequest) -> Response:
        self.record(request)
        body = (await request.body()).decode()
        raw = request.scope["raw_path"].decode()
        query = [list(pair) for pair in request.query_params.multi_items()]
        reply = JSONResponse({"path": raw, "query": query, "headers": dict(request.headers), "body": body})
        reply.set_cookie("crumb", "never-returned")
        return reply

    async def parts(self, request: HttpRequest) -> Response:
        self.record(request)
        received: dict[str, Any] = {}
        async with request.form() as form:
            for name, part in form.items():
                received[name] = part if isinstance(part, str) else [part.filename, part.content_type, part.size]
        return JSONResponse(received)

    async def swallow(self, request: HttpRequest) -> Response:
        self.record(request)
        size, digest = 0, hashlib.sha256()
        async for chunk in request.stream():
            size += len(chunk)
            digest.update(chunk)
        return JSONResponse({"size": size, "sha256": digest.hexdigest()})

    async def file(self, request: HttpRequest) -> Response:
        self.record(request)
        return TruncatedResponse(self.content, self.truncate_at.pop()) if self.truncate_at else Response(self.content)

    async def page(self, request: HttpRequest) -> Response:
        self.record(request)
        return HTMLResponse("<html>a page</html>")

    async def moved(self, request: HttpRequest) -> Response:
        self.record(request)
        return RedirectResponse("https://elsewhere.example.com/toy", 301)


class TruncatedResponse(Response):
    """Announces the whole content, sends a part of it and closes the connection."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self.size = size

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body[: self.size]), "more_body": True})
        cycle = receive.__self__  # see sandbox/faults.py
        cycle.response_complete = True
        cycle.transport.close()


# flows


def send_request(request: Request) -> Flow[Reply]:
    """Return the reply to any request."""
    return (yield request)


def fetch_json(request: Request) -> Flow[Any]:
    """Return the JSON body of the reply to a request."""
    return (yield request).json()


def count_bricks(user: str, limit: int = 10) -> Flow[dict[str, int]]:
    """Return the bricks of a user.

    :param user: the owner
    :param limit: the maximum number of colours
    :return: number of bricks by colour
    """
    account = (yield Request("GET", "/whoami", query={"user": user, "limit": limit})).json()
    return dict(account["brick"])


def submit_job(name: str, polls: int, state: str) -> Flow[str]:
    """Create a job and return its id."""
    reply = yield Request("POST", "/jobs", json={"name": name, "polls": polls, "state": state})
    return str(reply.json()["id"])


def refresh_jobs(job_ids: Sequence[str]) -> Flow[dict[str, Observation]]:
    """Observe many jobs."""
    states = (yield Request("GET", "/jobs", query={"id": list(job_ids)})).json()
    return {
        job_id: Observation(state, state not in {"queued", "running"}, {"id": job_id})
        for job_id, state in states.items()
    }


def cancel_job(job_id: str) -> Flow[None]:
    """Cancel a job."""
    yield Request("POST", url_path("jobs", job_id) + "/cancel", idempotent=True)


def parse_error(reply: Reply) -> SelfHostedError | None:
    """Return the error of the status, with the toy's own message."""
    return reply.default_error(reply.json().get("error", "") if reply.is_json else "")


class ToyLogin(LoginAuth):
    """Signs in with user and password."""

    def __init__(self, user: str, password: str) -> None:
        super().__init__()
        self.user, self.password = user, password

    def login(self) -> Flow[Mapping[str, str]]:
        """Sign in."""
        reply = yield Request("POST", "/login", json={"user": self.user, "password": self.password}, idempotent=True)
        return {"X-Session": reply.json()["session"], "X-Stamp": reply.json()["stamp"]}


class ToyHook(SelfHostedHook):
    """The toy's hook."""

    form = FORM

    def __init__(self, toy_conn_id: str = "toy_default") -> None:
        super().__init__(toy_conn_id)

    def auth(self, settings: Settings) -> Auth:
        """Return the middleware of an API key, or of a login."""
        if settings.extra["api_key"]:
            return HeaderAuth({"X-Key": settings.extra["api_key"]})
        if not settings.login:
            raise ValueError("the connection needs an API key, or a user and a password")
        return ToyLogin(settings.login, settings.password)

    parse_error = staticmethod(parse_error)

    def verify_credentials(self) -> Flow[str]:
        """Return one sentence that names the user."""
        account = (yield Request("GET", "/whoami")).json()
        return f"Signed in as {account['user']}."

    count_bricks = hook_method(count_bricks)


JOB = WaitSpec("tests.core.toy.ToyHook", "job", refresh_jobs, cancel_job)
NOT_CANCELLABLE = WaitSpec("tests.core.toy.ToyHook", "job", refresh_jobs)
SMALL_BATCHES = WaitSpec("tests.core.toy.ToyHook", "job", refresh_jobs, cancel_job, batch_size=2)


class ToyLink(SelfHostedLink):
    """The link to the toy."""

    name = "Toy"


class BuildOperator(SelfHostedOperator):
    """Submits a job without waiting for it."""

    template_fields: Sequence[str] = ("job",)
    hook_class = "tests.core.toy.ToyHook"
    operator_extra_links = (ToyLink(),)

    def __init__(self, *, job: str, toy_conn_id: str = "toy_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job, self.toy_conn_id = job, toy_conn_id

    def validate(self) -> None:
        if not self.job:
            raise ValueError("job must be the name of a job, not ''")

    def submit(self, context: Context) -> dict[str, Any]:
        job_id = self.hook.run(submit_job(self.job, 0, "done"))
        publish_link(context, f"https://toy.example.com/{job_id}")
        return {"id": job_id}


class BuildAndWaitOperator(WaitingOperator):
    """Submits a job and waits for it; a job named "nothing" needs no wait."""

    template_fields: Sequence[str] = ("job",)
    hook_class = "tests.core.toy.ToyHook"
    wait_spec = "tests.core.toy.JOB"
    operator_extra_links = (ToyLink(),)

    def __init__(
        self, *, job: str, polls: int = 0, state: str = "done", toy_conn_id: str = "toy_default", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.job, self.polls, self.state, self.toy_conn_id = job, polls, state, toy_conn_id

    def submit(self, context: Context) -> dict[str, Any]:
        return {"id": None if self.job == "nothing" else self.hook.run(submit_job(self.job, self.polls, self.state))}

    def external_id(self, submitted: dict[str, Any]) -> str | None:
        return submitted["id"]  # type: ignore[no-any-return]

    def external_url(self, submitted: dict[str, Any]) -> str:
        return f"https://toy.example.com/{submitted['id']}"

    def external_asset(self, submitted: dict[str, Any]) -> Sequence[str]:
        return ("job", submitted["id"]) if submitted["id"] else ()

    def build_result(self, context: Context, submitted: dict[str, Any], observation: Observation) -> dict[str, Any]:
        return {**submitted, "state": observation.state, **observation.details}


class NotCancellableOperator(BuildAndWaitOperator):
    """Submits a job that cannot be cancelled."""

    wait_spec = "tests.core.toy.NOT_CANCELLABLE"


class JobSensor(SelfHostedSensor):
    """Waits for a job."""

    template_fields = ("job_id", "toy_conn_id")
    wait_spec: ClassVar[str] = "tests.core.toy.JOB"

    def __init__(self, *, job_id: str, toy_conn_id: str = "toy_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_id, self.toy_conn_id = job_id, toy_conn_id

    def validate(self) -> None:
        if not self.job_id:
            raise ValueError("job_id must be the id of a job, not ''")

    def external_id(self) -> str:
        return self.job_id

    def external_url(self, base_url: str) -> str:
        return f"{base_url}/jobs/{self.job_id}"

    def external_asset(self) -> Sequence[str]:
        return "job", self.job_id

    def build_result(self, observation: Observation, base_url: str) -> dict[str, Any]:
        if observation.state == "broken":
            raise ValueError(f"job {self.job_id} is broken")
        return {"state": observation.state, "url": f"{base_url}/jobs/{self.job_id}"}


class Zeros:
    """A file of zeros that takes no memory; it only has `read`, like the files of some object stores."""

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


def open_zeros(size: int) -> BinaryIO:
    """Return a file of zeros."""
    return Zeros(size)  # type: ignore[return-value]
