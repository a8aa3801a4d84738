"""Texts of a server, made fit for messages: without secrets, without control characters, and short.

A server may echo the request's headers, and a text may hold the escape sequences of a terminal.
"""

from __future__ import annotations

import re
import threading
import unicodedata
import weakref
from collections.abc import Iterable
from urllib.parse import urlsplit

MAX_TEXT_CHARACTERS = 500
REPLACEMENT = "***"
# a text may be many times as long; nothing after this is looked at
MAX_EXAMINED_CHARACTERS = 20_000


class Secrets:
    """The secrets of one hook: of its connection, and those derived from them. Threads may share it.

    :param values: the secrets, as they are stored in the connection
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._patterns: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        with _registry_lock:
            _registry.add(self)
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Add a secret with the forms in which servers repeat it.

        :param value: the secret
        """
        from self_hosted.core.http.secret_forms import find_secret_patterns  # which DAG parsing does not need

        with self._lock:
            patterns = self._patterns.union(find_secret_patterns(value))
            if patterns != self._patterns:
                self._patterns = patterns
                # the longest first: one form may be the beginning of another
                self._pattern = re.compile("|".join(sorted(patterns, key=len, reverse=True)))

    def redact(self, text: str) -> str:
        """Return a text without secrets.

        :param text: any
        """
        return self._pattern.sub(REPLACEMENT, text) if self._pattern else text

    def clean(self, text: str) -> str:
        """Return a server's text without secrets and control characters, shortened to 500 characters.

        :param text: any
        """
        return clean_text(self.redact(text[:MAX_EXAMINED_CHARACTERS]))

    def __repr__(self) -> str:
        return f"<{len(self._patterns)} forms of secrets>"


_registry: weakref.WeakSet[Secrets] = weakref.WeakSet()
_registry_lock = threading.Lock()


def redact_all(text: str) -> str:
    """Return a text without the secrets of any hook of this process.

    :param text: any
    """
    with _registry_lock:
        every = list(_registry)
    for secrets in every:
        text = secrets.redact(text)
    return text


def clean_text(text: str) -> str:
    """Return a server's text without control characters, shortened to 500 characters.

    :param text: any
    """
    printable = strip_control_characters(text[:MAX_EXAMINED_CHARACTERS])
    if len(printable) <= MAX_TEXT_CHARACTERS:
        return printable
    return printable[: MAX_TEXT_CHARACTERS - 1] + "…"


def strip_control_characters(text: str) -> str:
    """Return a text without the characters that control a terminal or the direction of writing; lines are kept.

    :param text: any
    """
    if text.isprintable():
        return text
    return "".join(character for character in text if character in "\n\t" or not _is_control(character))


def strip_query(url: str) -> str:
    """Return a URL without user, query and fragment, each of which may hold a secret.

    :param url: any text
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an invalid URL"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if host else parts.path


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"}
