"""Discovery of the resources, so that a new module in `resources` needs no registration."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from self_hosted.sandbox.assemblyline import resources
from self_hosted.sandbox.assemblyline.resource import Resource


def find_resource_classes() -> list[type[Resource]]:
    """Return the classes with a name in all modules of `resources`, in alphabetical order of the modules."""
    modules = [import_module(f"{resources.__name__}.{module.name}") for module in iter_modules(resources.__path__)]
    return [value for module in modules for value in vars(module).values() if _is_resource(value, module.__name__)]


def _is_resource(value: object, module: str) -> bool:
    """Return whether a value is a resource that a module defines, and not a base class or an import."""
    is_defined_here = isinstance(value, type) and issubclass(value, Resource) and value.__module__ == module
    return is_defined_here and "name" in vars(value)
