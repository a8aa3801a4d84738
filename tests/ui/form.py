"""The connection pages of the Airflow UI, as a person uses them."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

STANDARD = ("host", "login", "password", "port")


def open_form(page: Page, conn_id: str, hook_name: str) -> Locator:
    """Open the form of a new connection of this type."""
    page.goto("/connections", wait_until="networkidle")
    page.get_by_role("button", name="Add Connection").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[name=connection_id]").fill(conn_id)
    dialog.get_by_role("combobox").first.click()
    page.get_by_role("option", name=hook_name, exact=True).click()
    expect(dialog.locator("input[name=host]")).to_be_visible()
    return dialog


def unfold(dialog: Locator, section: str) -> None:
    """Open one section; the others close."""
    button = dialog.get_by_role("button", name=section, exact=True)
    if button.get_attribute("aria-expanded") != "true":
        button.click()
    expect(button).to_have_attribute("aria-expanded", "true")


def fill(dialog: Locator, connection: dict[str, Any]) -> None:
    """Type the values of a connection into the form."""
    unfold(dialog, "Standard Fields")
    for name in STANDARD:
        if name in connection:
            dialog.locator(f"input[name={name}]").fill(str(connection[name]))
    unfold(dialog, "Extra Fields")
    for name, value in connection.get("extra", {}).items():
        dialog.locator(f"input[name=element_{name}]").fill(str(value))


def save(page: Page, dialog: Locator) -> None:
    """Press Save."""
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()


def pressed_test(page: Page, conn_id: str) -> tuple[bool, str]:
    """Press the Test button of a connection's row and return what the server answered, once the UI shows it."""
    row = page.get_by_role("row").filter(has_text=conn_id)
    with page.expect_response("**/api/v2/connections/test") as answer:
        row.get_by_role("button", name="Test Connection").click()
    verdict = answer.value.json()
    if not verdict["status"]:
        expect(page.get_by_text(verdict["message"]).first).to_be_visible()
    return verdict["status"], verdict["message"]
