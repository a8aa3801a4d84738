"""Sections of the docs that are generated from the code: ``python -m tests.meta.rules.generated`` writes them.

A section stands between ``<!-- begin generated: NAME -->`` and ``<!-- end generated: NAME -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.meta.rules.quality import format_quality_table, load_quality
from tests.meta.rules.tables import generators
from tests.meta.source import ROOT

Generators = Mapping[str, Callable[[], str]]
"""The function that generates each section, by name."""
GENERATORS: Generators = {
    "quality": lambda: format_quality_table(load_quality()),
    **generators(),
}
_SECTION = re.compile(
    r"(?P<begin><!-- begin generated: (?P<name>[\w-]+) -->\n).*?(?P<end><!-- end generated: (?P=name) -->)", re.DOTALL
)
_MARKER = re.compile(r"<!-- (?:begin|end) generated: ([\w-]+) -->")


def list_pages(root: Path = ROOT) -> list[Path]:
    """Return all pages that may have generated sections."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def update_sections(text: str, generators: Generators) -> str:
    """Return a page with current sections; sections without a generator stay as they are.

    :param text: the page
    :param generators: by the names of sections
    """

    def update(match: re.Match[str]) -> str:
        generate = generators.get(match["name"])
        return f"{match['begin']}{generate().strip()}\n{match['end']}" if generate else match[0]

    return _SECTION.sub(update, text)


def list_section_violations(page: str, text: str, generators: Generators) -> list[str]:
    """Return the sections of a page that are outdated, not closed, or without a generator.

    :param page: its name
    :param text: its text
    :param generators: by the names of sections
    """
    markers, complete = _MARKER.findall(text), [match["name"] for match in _SECTION.finditer(text)]
    outdated = update_sections(text, generators) != text
    return [
        *(f"{page}: no generator for section {name}" for name in sorted({*markers} - {*generators})),
        *(f"{page}: section {name} is not closed" for name in dict.fromkeys(markers) if name not in complete),
        *([f"{page}: run `make docs`, a generated section is outdated"] if outdated else []),
    ]


def main() -> None:
    """Write all generated sections."""
    for page in list_pages():
        text = page.read_text(encoding="utf-8")
        updated = update_sections(text, GENERATORS)
        if updated != text:
            page.write_text(updated, encoding="utf-8")


if __name__ == "__main__":
    main()
