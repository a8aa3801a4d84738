"""The page that shows what the DAGs did."""

from __future__ import annotations

import requests

from self_hosted.sandbox.page import ROWS_SHOWN, page
from self_hosted.sandbox.server import Sandbox
from tests.core.toy import Toy


def test_every_product_has_its_tables():
    shown = page({"rudder": {"rules": [{"id": "1", "name": "Mount"}]}, "ayon": {"projects": []}})
    assert "<h2>rudder</h2><h3>rules (1)</h3>" in shown
    assert "<th>id</th><th>name</th>" in shown
    assert "<td>1</td><td>Mount</td>" in shown
    assert "<h3>projects (0)</h3><p class=none>none</p>" in shown


def test_what_users_wrote_is_shown_and_not_run():
    shown = page({"toy": {"<jobs>": [{"<id>": "<script>alert(1)</script>"}]}})
    assert "<script>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "&lt;jobs&gt;" in shown
    assert "&lt;id&gt;" in shown


def test_a_list_is_shown_as_a_list_of_words():
    assert "<td>a, b</td>" in page({"toy": {"jobs": [{"tags": ["a", "b"]}]}})


def test_a_long_table_is_cut_and_says_so():
    rows = [{"id": number} for number in range(ROWS_SHOWN + 7)]
    shown = page({"toy": {"jobs": rows}})
    assert shown.count("<tr>") == 1 + ROWS_SHOWN
    assert f"<h3>jobs ({ROWS_SHOWN + 7})</h3>" in shown
    assert "<p class=none>and 7 more</p>" in shown


def test_a_short_table_is_whole():
    assert "more</p>" not in page({"toy": {"jobs": [{"id": 1}]}})


def test_the_page_is_served():
    with Sandbox(products=[Toy()]) as sandbox:
        reply = requests.get(sandbox.url, timeout=5)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h2>toy</h2><h3>jobs (0)</h3>" in reply.text
