"""The docs: links have targets, and every operator and every field of a connection is mentioned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from self_hosted.provider_info import FORMS
from tests.meta.rules.generated import list_pages
from tests.meta.source import PRODUCTS, ROOT, assert_none, provider_modules
from tests.meta.tasks import BASE_NAMES

pytestmark = pytest.mark.meta
LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")


def list_anchors(page: Path) -> set[str]:
    """Return the headings of a page in the form that links use."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def list_broken_links(page: Path) -> Iterator[str]:
    """Yield the links of a page that have no target in the checkout."""
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        linked = (page.parent / target) if target else page
        if not linked.exists() or (anchor and anchor not in list_anchors(linked)):
            yield f"{page.name}: {target}{'#' + anchor if anchor else ''}"


def list_operators(product: str) -> set[str]:
    """Return the names of a product's operators and sensors."""
    names = {node.name for module in provider_modules() if module.part == product for node in module.classes}
    tasks = {name for name in names if name.endswith(("Operator", "Sensor")) and name.startswith(product.capitalize())}
    return tasks - BASE_NAMES


def test_links_have_targets():
    assert_none(link for page in list_pages() for link in list_broken_links(page))


def test_every_field_of_a_connection_is_described():
    text = (ROOT / "docs" / "connections.md").read_text(encoding="utf-8")
    assert_none(f"{form.conn_type}: {name}" for form in FORMS for name in form.fields if f"`{name}`" not in text)


def test_every_operator_is_in_the_readme_and_on_its_products_page():
    assert all(list_operators(product) for product in PRODUCTS)
    assert_none(
        f"{name} is not in {page}"
        for product in PRODUCTS
        for page in ("README.md", f"docs/{product}.md")
        for text in [(ROOT / page).read_text(encoding="utf-8")]
        for name in sorted(list_operators(product))
        if name not in text
    )


def test_a_broken_link_is_reported(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A title, here\n[a](#a-title-here) [b](#b) [c](other.md) [d](https://d) [e](page.md#a-title-here)"
    )
    assert list(list_broken_links(page)) == ["page.md: #b", "page.md: other.md"]
