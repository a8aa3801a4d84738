"""The generated page docs/sandbox_routes.md."""

from __future__ import annotations

from pathlib import Path

from self_hosted.sandbox.route_coverage import render_routes

PAGE = Path(__file__).parents[2] / "docs" / "sandbox_routes.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == render_routes(), "run `make docs`"


def test_catch_all_routes_are_omitted():
    assert "{path:path}" not in render_routes()
    assert "| `/api/v4/submit/` | POST |" in render_routes()
