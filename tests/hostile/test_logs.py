"""No log line shows a credential or a control character, even if a server repeats all that it receives."""

from __future__ import annotations

import logging

import pytest

from self_hosted.core.connection.hook import SelfHostedHook
from self_hosted.core.http.errors import SelfHostedError
from tests.conftest import FlowRunner
from tests.hostile.conftest import HOOKS
from tests.hostile.echo import CREDENTIALS, FORMS, KINDS, build_echo, has_secret
from tests.hostile.server import Behaviour, Exchange
from tests.meta.source import assert_none


def reject_once(form: str) -> Behaviour:
    """Return the behaviour of a server that is unavailable once, and then rejects all requests."""
    statuses = iter([503])

    def respond(exchange: Exchange) -> None:
        build_echo(form, next(statuses, 400))(exchange)

    return respond


@pytest.mark.parametrize(("product", "kind"), CREDENTIALS)
def test_lines_about_pauses_and_requests_show_no_credential(
    hostile, connect, run_flow: FlowRunner, caplog, monkeypatch: pytest.MonkeyPatch, product, kind
):
    monkeypatch.setattr("self_hosted.core.http.retries._backoff", lambda state: 0.01)
    caplog.set_level(logging.DEBUG, "self_hosted")
    given = KINDS[product][kind]
    connection = {
        **given,
        "conn_type": product,
        "host": hostile.url,
        "extra": {"retry_timeout": 60, **given.get("extra", {})},
    }
    leaks: list[str] = []
    for form in FORMS:
        caplog.clear()
        hostile.respond = reject_once(form)
        hook: SelfHostedHook = HOOKS[product](connect(f"{product}_hostile", connection))
        with pytest.raises(SelfHostedError):
            run_flow(hook, hook.verify_credentials())
        lines = [record.getMessage() for record in caplog.records if record.name.startswith("self_hosted")]
        assert any("retry 1" in line for line in lines)
        leaks += [f"{form}: {line}" for line in lines if has_secret(line) or "\n" in line]
    assert_none(leaks)
