"""No text that leaves a hook shows a credential, even if a server repeats all headers and bodies that it receives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from self_hosted.assemblyline.operators import AssemblylineSubmitFilesOperator
from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator
from self_hosted.core.connection.hook import SelfHostedHook
from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.flow import Reply, Request, Secret
from self_hosted.core.http.redact import Secrets
from tests.conftest import FlowRunner
from tests.context import context, first_event
from tests.hostile.conftest import HOOKS
from tests.hostile.echo import CREDENTIALS, FORMS, KINDS, SECRET, build_echo, find_leaks, has_secret, repeat
from tests.hostile.server import Behaviour, Exchange, HostileServer, as_json
from tests.meta.source import assert_none


@pytest.fixture
def make_hook(hostile: HostileServer, connect: Callable[[str, dict[str, Any]], str]) -> Callable[..., SelfHostedHook]:
    """Connect a product to the hostile server: ``make_hook("rudder", "token")``."""

    def make(product: str, kind: str) -> SelfHostedHook:
        given = KINDS[product][kind]
        extra = {"retry_timeout": 0, **given.get("extra", {})}
        connection = {**given, "conn_type": product, "host": hostile.url, "extra": extra}
        hook: SelfHostedHook = HOOKS[product](connect(f"{product}_hostile", connection))
        return hook

    return make


ECHOES = [
    (status, content, "plain") for status in (400, 401, 404, 500, 302, 200) for content in ("json", "html", "plain")
]
ECHOES += [(400, "json", form) for form in FORMS]


@pytest.mark.parametrize(("product", "kind"), CREDENTIALS)
def test_errors_show_no_credential(hostile, make_hook, run_flow: FlowRunner, product, kind):
    leaks = []
    for status, content, form in ECHOES:
        hostile.respond = build_echo(form, status, content)
        hook, result = make_hook(product, kind), None
        try:
            result = run_flow(hook, hook.verify_credentials())
        except SelfHostedError as error:
            leaks += [f"{status} {content} {form}: {leak}" for leak in find_leaks(error)]
        assert not has_secret(str(result))
    assert_none(leaks)
    assert any(has_secret(str(exchange.headers) + exchange.body.decode()) for exchange in hostile.requests)


# Waits, and the results of operators

SENSORS: dict[str, tuple[str, dict[str, Any]]] = {
    "assemblyline": ("AssemblylineSubmissionSensor", {"sid": "s1"}),
    "atrocore": ("AtrocoreJobSensor", {"job_id": "j1"}),
    "ayon": ("AyonEventSensor", {"event_id": "e" * 32}),
    "rudder": ("RudderChangeRequestSensor", {"change_request_id": "7"}),
}


@pytest.mark.parametrize("form", ["plain", "Base64"])
@pytest.mark.parametrize(("product", "kind"), CREDENTIALS)
def test_events_of_triggers_and_errors_of_resumed_tasks_show_no_credential(
    hostile, make_hook, caplog: pytest.LogCaptureFixture, product, kind, form
):
    caplog.set_level("INFO")  # httpcore logs all headers at level DEBUG
    hostile.respond = build_echo(form, 403)
    name, arguments = SENSORS[product]
    connection = {f"{product}_conn_id": make_hook(product, kind).conn_id}
    sensor = getattr(import_module(f"self_hosted.{product}.sensors"), name)(
        task_id="wait", deferrable=True, **connection, **arguments
    )
    with pytest.raises(TaskDeferred) as deferral:
        sensor.execute(context(sensor))
    event = asyncio.run(first_event(deferral.value.trigger))
    assert not has_secret(repr(deferral.value.trigger.serialize()))
    assert not has_secret(repr(event) + json.dumps(event.payload))
    with pytest.raises(Exception, match="403") as caught:
        getattr(sensor, deferral.value.method_name)(context(sensor), event.payload, **(deferral.value.kwargs or {}))
    assert find_leaks(caught.value) == []
    assert not has_secret(caplog.text)
    assert hostile.requests


METADATA = {"entityDefs": {"Product": {"fields": {"number": {"type": "varchar"}, "name": {"type": "varchar"}}}}}


def reject_items(form: str) -> Behaviour:
    """Return the behaviour of an AtroCore without products that rejects each item: its reason repeats the request."""

    def respond(exchange: Exchange) -> None:
        item = {"status": "Failed", "stored": False, "code": 400, "message": repeat(exchange, form)}
        responses = {"/metadata": METADATA, "/userSession": {"user": {"userName": "me", "isAdmin": True}}}
        found = next((body for name, body in responses.items() if name in exchange.target), {"total": 0, "list": []})
        as_json(found if exchange.method == "GET" else [item, item])(exchange)

    return respond


@pytest.mark.parametrize("form", FORMS)
def test_results_and_reports_of_a_sync_show_no_credential(hostile, make_hook, tmp_path: Path, form):
    hostile.respond = reject_items(form)
    report, rejects = tmp_path / "report.jsonl", tmp_path / "rejects.jsonl"
    operator = AtrocoreSyncProductsOperator(
        task_id="sync",
        atrocore_conn_id=make_hook("atrocore", "token").conn_id,
        source=[{"number": "1", "name": "One"}, {"number": "2", "name": "Two"}],
        report_uri=str(report),
        rejects_uri=str(rejects),
        fail_on="never",
    )
    result = operator.execute(context(operator))
    written = report.read_text(encoding="utf-8") + rejects.read_text(encoding="utf-8")
    assert result["failed"] == 2
    assert "***" in written
    assert not has_secret(repr(result) + written)


@pytest.mark.parametrize("form", ["plain", "Base64", "JSON"])
def test_results_and_reports_of_many_files_show_no_credential(hostile, make_hook, tmp_path: Path, form):
    def respond(exchange: Exchange) -> None:
        behaviour = build_echo(form, 400) if exchange.target.endswith("/submit/") else as_json(build_envelope(exchange))
        behaviour(exchange)

    def build_envelope(exchange: Exchange) -> dict[str, Any]:
        bands = {f"submission.verdicts.{name}": 0 for name in ("info", "suspicious", "highly_suspicious", "malicious")}
        is_configuration = exchange.target.endswith("/configuration/")
        found = {"submission.max_file_size": 10**6, **bands} if is_configuration else {"items": [], "total": 0}
        return {"api_response": {**found, "offset": 0, "rows": 0}, "api_error_message": ""}

    hostile.respond = respond
    files, report = tmp_path / "in", tmp_path / "report.jsonl"
    files.mkdir()
    for name in ("a.txt", "b.txt"):
        (files / name).write_text(name, encoding="utf-8")
    operator = AssemblylineSubmitFilesOperator(
        task_id="submit",
        assemblyline_conn_id=make_hook("assemblyline", "API key").conn_id,
        folder=str(files),
        report_uri=str(report),
    )
    with pytest.raises(Exception, match="HTTP 400") as caught:
        operator.execute(context(operator))
    written = report.read_text(encoding="utf-8")
    assert "***" in written
    assert not has_secret(written + str(operator.__dict__))
    assert find_leaks(caught.value) == []


# Representations


@pytest.mark.parametrize(("product", "kind"), CREDENTIALS)
def test_representations_show_no_credential(hostile, make_hook, product, kind):
    hook = make_hook(product, kind)
    hostile.respond = build_echo("plain", 403)
    seen: list[Any] = [hook, hook.settings, hook.settings.address, hook.settings.collect_secrets()]
    with pytest.raises(SelfHostedError):
        hook.run(hook.verify_credentials())
    transport, auth = hook._transport_and_auth
    seen += [transport, auth, transport.secrets]
    assert not has_secret(" ".join(map(repr, [*seen, *map(vars, [auth])])))


def test_representations_of_steps_show_no_credential():
    request = Request("POST", "/login", headers={"X-Key": SECRET}, json={"password": SECRET}, query={"key": SECRET})
    form = Request("POST", "/login", form={"password": SECRET}, parts={"password": SECRET})
    reply = Reply(200, {"set-cookie": SECRET}, SECRET.encode(), request)
    assert not has_secret(" ".join(map(repr, [request, form, reply, Secret(SECRET), Secrets([SECRET])])))
