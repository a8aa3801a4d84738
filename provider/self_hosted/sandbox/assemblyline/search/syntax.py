"""Parsing of Lucene queries, by the library luqum.

luqum leaves four things to this module, because Elasticsearch does them differently:

- luqum has no symbols ``&&``, ``||`` and ``!``; they are replaced by ``AND``, ``OR`` and ``NOT``.
- luqum rejects some characters in the limits of a range, such as the offset of a time; the limits are put in quotes.
- luqum gives AND precedence over OR; `flatten` restores the order of the query.
- luqum accepts some characters in a term without a backslash, where Lucene reports a syntax error; `get_text` checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from luqum.exceptions import ParseError
from luqum.tree import BaseOperation, Item, Phrase

from self_hosted.sandbox.assemblyline.search.luqum_parser import parse
from self_hosted.sandbox.assemblyline.search.values import QueryError

SYMBOL = re.compile(
    r'(?P<literal>"(?:[^"\\]|\\.)*"|\\.)|(?P<range>[\[{][^\s"\]}]+\s+TO\s+[^\s"\]}]+[\]}])'
    r"|(?<![^\s(])(?:(?P<word>&&|\|\|)(?=[\s(]|$)|(?P<not>!))"
)
TIME_LIMIT = re.compile(r"[^\s\[\]{}]*:[^\s\[\]{}]*")
WORDS = {"&&": "AND", "||": "OR"}
UNESCAPED_SPECIAL = re.compile(r'(?:[^\\]|\\.)*?[:"!/]')
ESCAPED = re.compile(r"\\(.)")


def parse_query(query: str) -> Item:
    """Return the syntax tree of a query.

    :param query: Lucene query
    :raises QueryError: for a syntax error
    """
    try:
        return parse(SYMBOL.sub(_replace_symbol, query))
    except ParseError:
        raise QueryError from None


def _replace_symbol(found: re.Match[str]) -> str:
    if found["range"]:
        return TIME_LIMIT.sub(r'"\g<0>"', found["range"])
    return found["literal"] or WORDS.get(found["word"] or "", "NOT ")


def flatten(node: Item, operation: type[Item] | None = None) -> Iterator[tuple[type[Item] | None, Item]]:
    """Yield the operands of nested operations in the order of the query, each with the operation before it.

    :param node: a node; parentheses end the flattening
    :param operation: operation before the node, None at the start
    """
    if not isinstance(node, BaseOperation):
        yield operation, node
        return
    for number, child in enumerate(node.children):
        yield from flatten(child, type(node) if number else operation)


def get_text(node: Item) -> str:
    """Return the text of a term or a phrase without quotes, with backslashes.

    :raises QueryError: if a term contains a special character without a backslash
    """
    text = str(node).strip()
    if isinstance(node, Phrase):
        return text[1:-1]
    if UNESCAPED_SPECIAL.match(text):
        raise QueryError
    return text


def get_limit(node: Item) -> str:
    """Return the text of a limit of a range, in which special characters need no backslash."""
    return unescape(str(node).strip().strip('"'))


def unescape(text: str) -> str:
    """Return a part of a query without backslashes."""
    return ESCAPED.sub(r"\1", text)
