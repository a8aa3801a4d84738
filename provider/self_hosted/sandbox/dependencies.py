"""The check for the libraries of the extra ``[sandbox]``, which a production installation may lack."""

from __future__ import annotations

from importlib.util import find_spec

MODULES = {
    "graphql": "graphql-core",
    "luqum": "luqum",
    "python_multipart": "python-multipart",
    "starlette": "starlette",
    "uvicorn": "uvicorn",
}
"""Imported module to the distribution that contains it."""


class MissingDependencyError(ImportError):
    """A library of the extra ``[sandbox]`` is not installed."""


def check_dependencies() -> None:
    """Check that all libraries of the sandbox are installed, without importing them.

    :raises MissingDependencyError: if one is missing
    """
    missing = [distribution for module, distribution in MODULES.items() if find_spec(module) is None]
    if missing:
        raise MissingDependencyError(
            f"the sandbox requires {', '.join(missing)}; "
            "install the extra with: pip install 'airflow-provider-self-hosted[sandbox]'"
        )
