"""Discovery of the resources."""

from __future__ import annotations

from pkgutil import iter_modules

from self_hosted.sandbox.assemblyline import resources
from self_hosted.sandbox.assemblyline.discovery import find_resource_classes


def test_every_module_of_the_package_contributes_resources_with_unique_names():
    classes = find_resource_classes()
    modules = {f"{resources.__name__}.{module.name}" for module in iter_modules(resources.__path__)}
    assert {resource_class.__module__ for resource_class in classes} == modules
    assert len({resource_class.name for resource_class in classes}) == len(classes)
