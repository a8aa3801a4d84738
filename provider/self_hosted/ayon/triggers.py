"""The questions that waits ask AYON. The flows behind them are in `api`, by subject."""

from __future__ import annotations

from self_hosted.ayon.api.entities import look_at_statuses, unknown_statuses
from self_hosted.ayon.api.events import look_at_events
from self_hosted.ayon.api.operations import dead_operations, look_at_operations
from self_hosted.ayon.api.reviewables import look_at_reviewables
from self_hosted.core.question import Question

HOOK = "self_hosted.ayon.hook.AyonHook"

EVENT = Question(hook=HOOK, thing="event", ask=look_at_events, chunk=500)

ENTITY_STATUS = Question(hook=HOOK, thing="entity status", ask=look_at_statuses, stalled=unknown_statuses, chunk=200)

BACKGROUND_OPERATION = Question(
    hook=HOOK,
    thing="background operation",
    ask=look_at_operations,
    stalled=dead_operations,
    patience=120,
)

REVIEWABLE = Question(hook=HOOK, thing="reviewable", ask=look_at_reviewables)
