"""What a product is asked while tasks wait: its own part of every wait. The loop is in `wait.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from self_hosted.core.errors import NotFound
from self_hosted.core.flow import Flow

if TYPE_CHECKING:
    from self_hosted.core.hook import ProductHook


@dataclass(frozen=True)
class Seen:
    """What was seen of a thing that is waited for.

    :param state: the product's word for it
    :param done: whether there is nothing more to wait for, for better or worse
    :param facts: what an operator needs to finish; plain JSON, small
    :param progress: percent, where the product tells; the next look is then timed by it
    """

    state: str
    done: bool
    facts: Mapping[str, Any] = field(default_factory=dict)
    progress: float | None = None

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON, for the event of a trigger."""
        # vars, and not dataclasses.asdict, which copies every value: there may be thousands at once
        return {**vars(self), "facts": dict(self.facts)}

    def __str__(self) -> str:
        return repr(self.state) if self.progress is None else f"{self.state!r} at {self.progress:.0f} %"


GONE = Seen("gone", done=True)
"""What a question answers for a thing that certainly is not there, or not any more."""


class Question(NamedTuple):
    """What a product is asked again and again while tasks wait.

    :param hook: path of the hook class, ``package.module.Class``
    :param thing: what is waited for, as a person would call it: "submission"
    :param ask: a flow that takes many ids and returns what it saw of each. An id that it leaves out is not there: not
        yet, as long as it never was; gone, once it was seen
    :param cancel: a flow that stops the remote work of one id, where the product can
    :param stalled: a flow that takes ids of which nothing new was seen for as long as ``patience``, and says of those
        that will not move why: nobody serves their queue, say. Their waits end; all others go on
    :param chunk: how many ids one call of ``ask`` may take, so that URL and body stay of a safe size
    :param patience: seconds
    """

    hook: str
    thing: str
    ask: Callable[[Sequence[str]], Flow[Mapping[str, Seen]]]
    cancel: Callable[[str], Flow[Any]] | None = None
    stalled: Callable[[Sequence[str]], Flow[Mapping[str, str]]] | None = None
    chunk: int = 50
    patience: float = 300

    def hook_for(self, conn_id: str) -> ProductHook:
        """The product's hook, on this connection."""
        return imported(self.hook)(conn_id)  # type: ignore[no-any-return]

    def there(self, key: str, seen: Seen) -> Seen:
        """The same, unless the thing is gone; then `NotFound`."""
        if seen.state == GONE.state:
            raise NotFound(f"{self.thing} {key} is not there, or not any more, or the user may not see it")
        return seen


def imported(path: str) -> Any:
    """What ``package.module.name`` names."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)
