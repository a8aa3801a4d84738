"""The four connection forms, filled in and tested in the Airflow UI through a real browser, against the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from airflow import __version__ as airflow_version

pytest.importorskip("playwright.sync_api", reason="pip install .[browser]")

from self_hosted.provider_info import FORMS
from self_hosted.sandbox.server import Sandbox
from tests.ui.form import fill, open_form, pressed_test, save, unfold

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.skipif(airflow_version.startswith("3.1."), reason="the form of Airflow 3.1 is tested in tests/meta"),
]
SECRET: dict[str, dict[str, Any]] = {
    "assemblyline": {"extra": {"api_key": "demo:a-wrong-secret"}},
    "ayon": {"extra": {"api_key": "0123456789abcdef0123456789abcdef"}},
    "rudder": {"password": "a-wrong-token-of-32-characters-x"},
    "atrocore": {"password": "a-wrong-password"},
}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.conn_type)
class TestForm:
    def test_right_credential_is_accepted(self, page, sandbox, form, screenshots):
        status, message = _saved_and_tested(page, form, _connection(sandbox, form.conn_type), screenshots)
        assert status, message
        assert message.startswith("Signed in")

    def test_wrong_credential_is_refused_and_not_shown(self, page, sandbox, form):
        connection = _connection(sandbox, form.conn_type)
        wrong = SECRET[form.conn_type]
        changed = {**connection, **wrong, "extra": {**connection.get("extra", {}), **wrong.get("extra", {})}}
        status, message = _saved_and_tested(page, form, changed)
        assert not status
        assert "wrong" not in message
        assert "0123456789abcdef" not in message

    def test_wrong_address_is_said_to_be_one(self, page, sandbox, form):
        connection = {**_connection(sandbox, form.conn_type), "host": "http://127.0.0.1", "port": 9}
        status, message = _saved_and_tested(page, form, connection)
        assert not status
        assert "cannot reach the server: Connection refused; check the base URL" in message


def _connection(sandbox: Sandbox, product: str) -> dict[str, Any]:
    """The stand-in's connection the way the form wants it: with the port in its own field."""
    found = next(stand_in for stand_in in sandbox.products if stand_in.name == product)
    connection = found.connection(sandbox.url)
    url = urlsplit(connection["host"])
    return {**connection, "host": f"{url.scheme}://{url.hostname}{url.path}", "port": url.port}


def _saved_and_tested(page, form, connection: dict[str, Any], screenshots: Path | None = None) -> tuple[bool, str]:
    conn_id = f"{form.conn_type}_{abs(hash(str(connection)))}"
    dialog = open_form(page, conn_id, form.hook_name)
    fill(dialog, connection)
    if screenshots:
        dialog.locator("input[name=connection_id]").fill(f"{form.conn_type}_default")
        for section in ("Standard Fields", "Extra Fields", "Transport"):
            unfold(dialog, section)
            page.wait_for_timeout(400)  # the section unfolds with an animation
            what = "transport" if section == "Transport" else f"{form.conn_type}_{section.split()[0].lower()}"
            dialog.screenshot(path=screenshots / f"connection_{what}.png")
        dialog.locator("input[name=connection_id]").fill(conn_id)
    save(page, dialog)
    return pressed_test(page, conn_id)
