"""The options that all waiting operators share, as they are after templating."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from self_hosted.core.arguments import parse_bool, parse_seconds


class WaitOptions(NamedTuple):
    """See `WaitingOperator`, whose arguments these are.

    :param wait_for_completion: whether the task ends only when the work is done
    :param deferrable: whether it waits in the triggerer
    :param poll_interval: the longest time between two polls, in seconds
    :param wait_timeout: the longest time to wait, in seconds
    :param cancel_on_kill: whether a user who ends the task also cancels the remote work
    :param durable: whether a retry continues to wait for the work of an earlier try
    """

    wait_for_completion: bool
    deferrable: bool
    poll_interval: float
    wait_timeout: float
    cancel_on_kill: bool
    durable: bool

    @classmethod
    def parse(cls, arguments: Mapping[str, Any]) -> WaitOptions:
        """Return the options.

        :param arguments: by name, after templating
        :raises ValueError: naming the argument
        """
        parsers: dict[str, Callable[[str, Any], Any]] = dict.fromkeys(cls._fields, parse_bool)
        parsers.update(poll_interval=parse_seconds, wait_timeout=parse_seconds)
        return cls(**{name: parse(name, arguments[name]) for name, parse in parsers.items()})
