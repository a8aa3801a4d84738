"""The connection pages of the Airflow UI, as a user operates them."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

STANDARD_FIELDS = ("host", "login", "password", "port")


def open_form(page: Page, conn_id: str, hook_name: str) -> Locator:
    """Open the form for a new connection.

    :param page: the browser's page
    :param conn_id: id of the connection
    :param hook_name: name of its type
    """
    page.goto("/connections", wait_until="networkidle")
    page.get_by_role("button", name="Add Connection").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[name=connection_id]").fill(conn_id)
    dialog.get_by_role("combobox").first.click()
    page.get_by_role("option", name=hook_name, exact=True).click()
    expect(dialog.locator("input[name=host]")).to_be_visible()
    return dialog


def open_section(dialog: Locator, section: str) -> None:
    """Open one section; the others close."""
    button = dialog.get_by_role("button", name=section, exact=True)
    if button.get_attribute("aria-expanded") != "true":
        button.click()
    expect(button).to_have_attribute("aria-expanded", "true")


def fill_form(dialog: Locator, connection: dict[str, Any]) -> None:
    """Type the values of a connection into the form."""
    open_section(dialog, "Standard Fields")
    for name in STANDARD_FIELDS:
        if name in connection:
            dialog.locator(f"input[name={name}]").fill(str(connection[name]))
    open_section(dialog, "Extra Fields")
    for name, value in connection.get("extra", {}).items():
        dialog.locator(f"input[name=element_{name}]").fill(str(value))


def save(dialog: Locator) -> None:
    """Press Save."""
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()


def press_test(page: Page, conn_id: str) -> tuple[bool, str]:
    """Press the Test button of a connection, and return the server's response as soon as the UI shows it."""
    row = page.get_by_role("row").filter(has_text=conn_id)
    with page.expect_response("**/api/v2/connections/test") as response:
        row.get_by_role("button", name="Test Connection").click()
    result = response.value.json()
    if not result["status"]:
        expect(page.get_by_text(result["message"]).first).to_be_visible()
    return result["status"], result["message"]
