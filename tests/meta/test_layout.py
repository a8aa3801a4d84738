"""Where things are, and how large they are."""

from __future__ import annotations

import ast
import re

import pytest

from tests.meta.code import PACKAGE, PRODUCTS, ROOT, Module, modules, texts

FILES = {"__init__", "connection", "api", "hook", "operators", "sensors", "triggers"}
MAY_BE_PACKAGES = {"api", "operators"}
LONGEST = 400  # lines; what is about as long has two subjects

# written so that this file does not match itself
OF_ONE_MACHINE = re.compile(r"(?<![\w.])/(?:root)/|/home/\w+/|/Users/\w+/|C:\\\\Users")
UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b")


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_product_has_the_same_files(product):
    entries = [path for path in (PACKAGE / product).iterdir() if not path.name.startswith((".", "__pycache__"))]
    assert {path.stem for path in entries} == FILES
    assert {path.name for path in entries if path.is_dir()} <= MAY_BE_PACKAGES


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_product_has_a_stand_in_tests_a_page_and_an_example(product):
    stand_in = PACKAGE / "sandbox" / product
    assert stand_in.is_dir() or stand_in.with_suffix(".py").is_file()
    tested = {path.stem for path in (ROOT / "tests" / product).glob("test_*.py")}
    assert {"test_api", "test_hook", "test_operators", "test_contract"} <= tested
    assert [*(ROOT / "tests" / "sandbox" / product).glob("test_*.py")]
    assert (ROOT / "docs" / f"{product}.md").is_file()
    assert (ROOT / "example_dags" / f"example_{product}.py").is_file()


@pytest.mark.parametrize("module", modules(), ids=str)
def test_no_file_is_so_long_that_nobody_reads_it(module: Module):
    assert len(module.path.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("module", modules(), ids=str)
def test_every_file_that_is_not_empty_says_what_it_is_for(module: Module):
    assert module.tree.body == [] or ast.get_docstring(module.tree)


@pytest.mark.parametrize(
    ("pattern", "what"), [(OF_ONE_MACHINE, "path of one machine"), (UNFINISHED, "unfinished work")]
)
def test_nothing_is_left_behind(pattern, what):
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in texts()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == [], what


def test_the_package_tells_type_checkers_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()
