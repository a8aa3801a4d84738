"""The docs say what is there: links lead somewhere, and nothing that exists is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from self_hosted.provider_info import FORMS
from tests.meta.code import PRODUCTS, ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")
CLASS = re.compile(r"^class (\w+(?:Operator|Sensor))\(", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        found = (page.parent / target) if target else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), f"{target}#{anchor}"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.conn_type)
def test_every_field_of_a_connection_is_described(form):
    text = (ROOT / "docs" / "connections.md").read_text(encoding="utf-8")
    assert [name for name in form.fields if f"`{name}`" not in text] == []


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_operator_is_in_the_readme_and_on_its_products_page(product):
    sources = [*(ROOT / "provider" / "self_hosted" / product).rglob("*.py")]
    classes = {name for source in sources for name in CLASS.findall(source.read_text(encoding="utf-8"))}
    assert classes
    for page in (ROOT / "README.md", ROOT / "docs" / f"{product}.md"):
        text = page.read_text(encoding="utf-8")
        assert {name for name in classes if name not in text} == set(), page.name
