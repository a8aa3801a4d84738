"""The rule about words: standard terms in names and texts, none of the private vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

BANNED = (
    *("told", "tells of", "anew", "lest", "whoever", "in vain", "for it is", "stand-in", "stand-ins"),
    *("mend", "mends", "mended", "mending", "befall", "befalls", "befell", "befallen"),
    *("heed", "heeds", "heeded", "heeding", "reckon", "reckons", "reckoned", "reckoning"),
)
"""Words of a private vocabulary."""
PERSONAL = ("he", "his", "himself")
"""Words for persons; software and users are not "he"."""

_CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Use(NamedTuple):
    """The use of a banned word.

    :param path: the file, relative to the checkout
    :param line: the number of the line
    :param word: the word, in lower case
    """

    path: str
    line: int
    word: str


def _compile(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of whole words. An underscore ends a word and may replace a hyphen; lines may break phrases."""
    phrases = "|".join(word.replace("-", "[-_]").replace(" ", r"[\s_]+(?:#\s*)?") for word in words)
    return re.compile(rf"(?<![^\W\d_])(?:{phrases})(?![^\W\d_])", re.IGNORECASE)


_BANNED, _PERSONAL = _compile(BANNED), _compile(PERSONAL)


def find_banned_words(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number of the line and the word, for each banned word of a text.

    :param text: code or prose; names are split at underscores and before capitals
    """
    split = _CAMEL_CASE.sub("_", text)
    # names are not split for the short words, which occur by chance in random ids
    for pattern, searched in ((_BANNED, split), (_PERSONAL, text)):
        for match in pattern.finditer(searched):
            yield searched.count("\n", 0, match.start()) + 1, " ".join(re.split(r"[\W_]+", match[0].lower()))


def list_banned_words(paths: Iterable[Path], root: Path) -> list[Use]:
    """Return all uses of banned words in the contents and names of files.

    :param paths: the files
    :param root: the folder that their names in the result are relative to
    """
    uses = list[Use]()
    for path in paths:
        name = path.relative_to(root).as_posix()
        uses += [Use(name, 0, word) for _, word in find_banned_words(name)]
        uses += [Use(name, line, word) for line, word in find_banned_words(path.read_text(encoding="utf-8"))]
    return uses


def list_word_violations(uses: Iterable[Use], allowed: Mapping[tuple[str, str], str]) -> list[str]:
    """Return the uses that are not allowed, and the permissions without use.

    :param uses: the result of `list_banned_words`
    :param allowed: the reason for each pair of file and word
    """
    uses = list(uses)
    unused = set(allowed) - {(use.path, use.word) for use in uses}
    return [
        *(f"{use.path}:{use.line}: {use.word}" for use in uses if (use.path, use.word) not in allowed),
        *(f"{path}: {word} is allowed, but does not occur" for path, word in sorted(unused)),
    ]
