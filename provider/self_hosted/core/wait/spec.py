"""WaitSpec: a product's part of a wait. The loop is in `loop.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from self_hosted.core.http.errors import NotFoundError
from self_hosted.core.http.flow import Flow
from self_hosted.core.imports import import_string
from self_hosted.core.wait.key import WaitKey
from self_hosted.core.wait.observation import MISSING, Observation

if TYPE_CHECKING:
    from self_hosted.core.connection.hook import SelfHostedHook


class WaitSpec(NamedTuple):
    """How the state of remote objects is queried while tasks wait for them.

    :param hook_class: path of the hook class, ``package.module.Class``
    :param label: noun for the object in messages: "submission"
    :param refresh: takes many ids and returns the flow that observes them. An id that its result leaves out does not
        exist: not yet, if it was never observed; not any more, if it was
    :param cancel: takes one id and returns the flow that cancels its remote work; None if the product cannot
    :param stall_reasons: takes ids without a change for ``stall_after`` seconds and returns the flow that says why some
        of them cannot proceed, such as a queue without workers. Their waits end; all others go on
    :param batch_size: how many ids one call of ``refresh`` may take, so that URL and body stay small
    :param stall_after: seconds
    """

    hook_class: str
    label: str
    refresh: Callable[[Sequence[str]], Flow[Mapping[str, Observation]]]
    cancel: Callable[[str], Flow[Any]] | None = None
    stall_reasons: Callable[[Sequence[str]], Flow[Mapping[str, str]]] | None = None
    batch_size: int = 50
    stall_after: float = 300

    def create_hook(self, conn_id: str) -> SelfHostedHook:
        """Return the product's hook.

        :param conn_id: the Airflow connection
        """
        return import_string(self.hook_class)(conn_id)  # type: ignore[no-any-return]

    def describe(self, key: str) -> str:
        """Return the name of an object in messages, such as "submission 4Bk2".

        :param key: its id, or the text of a `WaitKey`
        """
        return f"{self.label} {WaitKey.describe(key)}"

    def describe_all(self, keys: Sequence[str]) -> str:
        """Return the names of objects in messages, such as "submission 4Bk2 and 3 more".

        :param keys: one at least
        """
        first, *others = keys
        return self.describe(first) + (f" and {len(others)} more" if others else "")

    def require_present(self, key: str, observation: Observation) -> Observation:
        """Return the observation.

        :param key: its id
        :param observation: of this id
        :raises NotFoundError: if the object does not exist, or not any more
        """
        if observation.state == MISSING.state:
            raise NotFoundError(f"{self.describe(key)} does not exist (any more), or the user may not see it")
        return observation
