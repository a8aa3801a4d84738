"""The page of the sandbox with the tables of Assemblyline."""

from __future__ import annotations

import requests


def test_the_page_shows_submissions_and_no_secrets(served, submit):
    submit("<b>x</b>", name="evil<script>.txt")
    page = requests.get(served.url, timeout=60).text
    assert "evil&lt;script&gt;.txt" in page
    assert "sandbox-secret" not in page
