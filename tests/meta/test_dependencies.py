"""The dependencies that ``pyproject.toml`` declares: each library that is imported, in versions that are tested."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from typing import Any

import pytest

from tests.meta.rules.imports import SANDBOX_DEPENDENCIES
from tests.meta.source import ROOT, Module, assert_none, provider_modules

pytestmark = pytest.mark.meta

OPTIONAL = {"wtforms"}
"""Modules of Airflow 3.1 that it replaces by substitutes where they are missing."""

AIRFLOW_PROVIDER = re.compile(r"airflow\.providers\.(standard|common\.\w+)")


def read_project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


@functools.cache
def read_distributions() -> Mapping[str, list[str]]:
    """Return the distributions of each installed module; read once, since that takes half a second."""
    return packages_distributions()


def list_declared(*extras: str) -> dict[str, str]:
    """Return the distributions of the dependencies, and of extras, with their requirements."""
    project = read_project()
    requirements = [
        *project["dependencies"],
        *(text for extra in extras for text in project["optional-dependencies"][extra]),
    ]
    return {re.split(r"[\[<>=~! ]", text)[0].lower(): text for text in requirements}


def list_distributions(name: str) -> list[str]:
    """Return the distributions that have an imported module; none for the standard library and for our own."""
    if provider := AIRFLOW_PROVIDER.match(name):
        return [f"apache-airflow-providers-{provider[1].replace('.', '-')}"]
    package = name.split(".", maxsplit=1)[0]
    if package == "airflow":
        return ["apache-airflow"]
    if package == "self_hosted" or package in OPTIONAL | {"__future__"}:
        return []
    return [normalize(found) for found in read_distributions().get(package, [])]


def list_undeclared(modules: list[Module], declared: dict[str, str]) -> Iterator[str]:
    for module in modules:
        for name in sorted(module.imports):
            distributions = list_distributions(name)
            if distributions and not set(distributions) & set(declared):
                yield f"{module} imports {name} of {distributions[0]}"


def test_every_imported_library_is_a_declared_dependency():
    production = [module for module in provider_modules() if module.part != "sandbox"]
    assert_none(list_undeclared(production, list_declared("sync", "yara")))


def test_every_library_that_the_sandbox_imports_is_declared():
    sandbox = [module for module in provider_modules() if module.part == "sandbox"]
    assert_none(list_undeclared(sandbox, {**list_declared("sandbox"), **dict.fromkeys(SANDBOX_DEPENDENCIES, "")}))


def test_an_undeclared_library_is_reported():
    modules = [Module("self_hosted.core.x", "import json, certifi, airflow.sdk, yaml\nfrom self_hosted import y")]
    declared = {name: "" for name in ("certifi", "apache-airflow")}
    assert list(list_undeclared(modules, declared)) == ["self_hosted.core.x imports yaml of pyyaml"]


def test_a_provider_of_airflow_is_a_distribution_of_its_own():
    modules = [Module("self_hosted.core.x", "from airflow.providers.common.compat.sdk import BaseHook")]
    assert list(list_undeclared(modules, {"apache-airflow": ""})) == [
        "self_hosted.core.x imports airflow.providers.common.compat.sdk.BaseHook of "
        "apache-airflow-providers-common-compat"
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "constraints").glob("airflow-*.txt")), ids=lambda path: path.stem)
def test_the_constraints_satisfy_every_lower_bound(path):
    pinned = dict(line.split("==") for line in path.read_text().splitlines() if "==" in line and line[0] != "#")
    tested = {normalize(name): parse(found) for name, found in pinned.items()}
    minimum = {
        name: parse(re.findall(r">=([\d.]+)", requirement)[0])
        for name, requirement in list_declared("sync", "yara").items()
    }
    assert {"certifi", "requests", "urllib3"} <= set(minimum)
    assert_none(
        f"{name} {tested.get(name)}, less than {least}"
        for name, least in minimum.items()
        if not tested.get(name, ()) >= least
    )


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def parse(number: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", number)))
