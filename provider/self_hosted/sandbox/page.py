"""The page that shows the state of the fake servers as HTML tables."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from self_hosted.sandbox.fake_server import Table

MAX_ROWS = 50

STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1d2733 }
h2 { margin-top: 2.5rem; border-bottom: 2px solid #1f6feb; text-transform: capitalize }
h3 { margin-bottom: .3rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #dde3ea; vertical-align: top }
th { background: #f3f6f9; font-weight: 600 }
.none { color: #6b7785 }
"""


def render_page(state: Mapping[str, Mapping[str, Table]]) -> str:
    """Return the page as HTML.

    :param state: product to table name to rows
    """
    products = "".join(_render_product(name, tables) for name, tables in state.items())
    head = f"<meta charset=utf-8><title>Sandbox</title><style>{STYLE}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body><h1>Sandbox</h1>{products}</body></html>"


def _render_product(name: str, tables: Mapping[str, Table]) -> str:
    html = "".join(f"<h3>{escape(title)} ({len(rows)})</h3>{_render_table(rows)}" for title, rows in tables.items())
    return f"<section id={escape(name)}><h2>{escape(name)}</h2>{html}</section>"


def _render_table(rows: Table) -> str:
    if not rows:
        return "<p class=none>none</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(_render_cell(value) for value in row.values())}</tr>" for row in rows[:MAX_ROWS])
    more = f"<p class=none>and {len(rows) - MAX_ROWS} more</p>" if len(rows) > MAX_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _render_cell(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"<td>{escape(text)}</td>"
