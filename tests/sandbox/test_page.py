"""The page that shows the state of the fake servers."""

from __future__ import annotations

import requests

from self_hosted.sandbox.page import MAX_ROWS, render_page
from self_hosted.sandbox.server import Sandbox
from tests.core.toy import Toy


def test_each_product_has_a_section_with_its_tables():
    html = render_page({"rudder": {"rules": [{"id": "1", "name": "Mount"}]}, "ayon": {"projects": []}})
    assert "<h2>rudder</h2><h3>rules (1)</h3>" in html
    assert "<th>id</th><th>name</th>" in html
    assert "<td>1</td><td>Mount</td>" in html
    assert "<h3>projects (0)</h3><p class=none>none</p>" in html


def test_user_input_is_escaped():
    html = render_page({"toy": {"<jobs>": [{"<id>": "<script>alert(1)</script>"}]}})
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "&lt;jobs&gt;" in html
    assert "&lt;id&gt;" in html


def test_a_list_is_joined_with_commas():
    assert "<td>a, b</td>" in render_page({"toy": {"jobs": [{"tags": ["a", "b"]}]}})


def test_a_long_table_is_truncated_and_shows_the_number_of_omitted_rows():
    rows = [{"id": number} for number in range(MAX_ROWS + 7)]
    html = render_page({"toy": {"jobs": rows}})
    assert html.count("<tr>") == 1 + MAX_ROWS
    assert f"<h3>jobs ({MAX_ROWS + 7})</h3>" in html
    assert "<p class=none>and 7 more</p>" in html
    assert "more</p>" not in render_page({"toy": {"jobs": rows[:MAX_ROWS]}})


def test_the_page_is_served_as_html():
    with Sandbox(servers=[Toy()]) as sandbox:
        reply = requests.get(sandbox.url, timeout=60)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h2>toy</h2><h3>jobs (0)</h3>" in reply.text
