"""Rules of single entities, which the general code for records calls.

A module registers the rules of its entity with ``HOOKS["File"] = FileHooks()``; the fake server imports the module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from self_hosted.sandbox.atrocore.state import Record, State

Values = dict[str, Any]


class Hooks:
    """The rules of an entity that has none. Each method may raise an `ApiError`."""

    def before_create(self, state: State, values: Values) -> Values:
        """Return the values of a create, perhaps changed."""
        return values

    def after_create(self, state: State, record: Record, values: Values) -> None:
        """Complete a new record, which is stored already."""

    def before_update(self, state: State, record: Record, values: Values) -> Values:
        """Return the values of an update, perhaps changed."""
        return values

    def after_update(self, state: State, record: Record, values: Values) -> None:
        """Complete an updated record, which is stored already."""

    def before_delete(self, state: State, record: Record) -> None:
        """Check whether a record may be deleted."""

    def render(self, state: State, record: Record, rendered: Values) -> Values:
        """Return a record as responses contain it, perhaps changed."""
        return rendered


HOOKS: dict[str, Hooks] = {}
_NO_HOOKS = Hooks()


def get_hooks(entity: str) -> Hooks:
    """Return the rules of an entity."""
    return HOOKS.get(entity, _NO_HOOKS)
