"""The parser of luqum, imported without the side effects of its parser generator ply.

ply compares the tables that luqum contains with the docstrings of the grammar. Python 3.13 changed the indentation of
docstrings, so that ply generates the tables at the import, prints warnings, and writes files to site-packages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module

from luqum.tree import Item
from ply import yacc


def _import_parse() -> Callable[[str], Item]:
    original = yacc.yacc
    yacc.yacc = partial(original, debug=False, write_tables=False, errorlog=yacc.NullLogger())
    try:
        return import_module("luqum.thread").parse  # type: ignore[no-any-return]
    finally:
        yacc.yacc = original


parse = _import_parse()
"""Return the syntax tree of a query; safe to call from several threads."""
