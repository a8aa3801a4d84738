"""Calls of hook methods for mypy, which also reports each unused ``type: ignore``; nothing here is executed."""

from __future__ import annotations

from typing import assert_type, reveal_type

from tests.core.toy import ToyHook

hook = ToyHook()

assert_type(hook.count_bricks("bo"), dict[str, int])
assert_type(hook.count_bricks(user="bo", limit=3), dict[str, int])
assert_type(ToyHook.count_bricks(hook, "bo", limit=3), dict[str, int])

hook.count_bricks(3)  # type: ignore[arg-type]
hook.count_bricks("bo", limit="3")  # type: ignore[arg-type]
hook.count_bricks()  # type: ignore[call-arg]
hook.count_bricks("bo", colour="red")  # type: ignore[call-arg]
ToyHook.count_bricks("bo")  # type: ignore[arg-type, call-arg]

reveal_type(hook.count_bricks)
reveal_type(ToyHook.count_bricks)
