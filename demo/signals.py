"""Signals that stop the demo: interrupt it, or defer them while a program starts, or ignore them while it stops."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Generator
from contextlib import AbstractContextManager
from typing import Any

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt_on_stop_signals() -> AbstractContextManager[None]:
    """Raise KeyboardInterrupt on each stop signal, also where the shell has disabled Ctrl-C."""
    return _handle_stop_signals(_interrupt)


@contextlib.contextmanager
def defer_stop_signals() -> Generator[None]:
    """Defer an interruption until the block ends, so that each started program is recorded before."""
    received: list[int] = []
    with _handle_stop_signals(lambda number, _: received.append(number)):
        yield
    if received:
        raise KeyboardInterrupt


def ignore_stop_signals() -> AbstractContextManager[None]:
    """Ignore further stop signals, such as a second Ctrl-C, while programs are being stopped."""
    return _handle_stop_signals(signal.SIG_IGN)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _handle_stop_signals(handler: Any) -> Generator[None]:
    previous = [signal.signal(number, handler) for number in STOP_SIGNALS]
    try:
        yield
    finally:
        for number, former in zip(STOP_SIGNALS, previous, strict=True):
            signal.signal(number, former)
