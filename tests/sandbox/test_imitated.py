"""The docs list what the sandbox imitates, no more and no less."""

from __future__ import annotations

from pathlib import Path

from self_hosted.sandbox.imitated import table

PAGE = Path(__file__).parents[2] / "docs" / "sandbox_routes.md"


def test_the_docs_list_every_route_of_the_sandbox():
    assert PAGE.read_text() == table(), "run `make docs`"


def test_what_is_caught_as_unknown_is_not_said_to_be_imitated():
    assert "{path:path}" not in table()
    assert "| `/api/v4/submit/` | POST |" in table()
