"""WaitKey: the key of a wait that is for more than an object: for a rule *and* a status, a node *and* a time."""

from __future__ import annotations

import json
from typing import NamedTuple, Self


class WaitKey(NamedTuple):
    """The object that a task waits for, and the condition that it waits for.

    Triggers, pollers and events carry its text. Messages show the object's id only.

    :param id: the object's id
    :param condition: further values that make up the condition, in the product's own order
    """

    id: str
    condition: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Return the key as text, for triggers and `refresh`; `from_text` reads it."""
        return json.dumps([self.id, *self.condition])

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the key. A text that only looks like one, such as the query ``["a" TO "b"]``, is a plain id.

        :param text: the result of `to_text`, or a plain id: a key without a condition
        """
        if not text.startswith('["'):
            return cls(text)
        try:
            key_id, *condition = json.loads(text)
        except ValueError:
            return cls(text)
        return cls(key_id, tuple(condition))

    @staticmethod
    def describe(text: str) -> str:
        """Return what a message shows of a wait's key: the object's id.

        :param text: a plain id, or the result of `to_text`
        """
        return WaitKey.from_text(text).id
