"""Libraries of the extra ``sync``, which only some formats need."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def import_library(name: str, label: str) -> ModuleType:
    """Return a library.

    :param name: of the module
    :param label: of the format that it reads
    :raises ValueError: if it is not installed
    """
    try:
        return import_module(name)
    except ImportError:
        raise ValueError(f"{label} files need the package {name}: install airflow-provider-self-hosted[sync]") from None
