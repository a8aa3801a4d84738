"""The versions of Airflow and Python are the same in the Makefile, constraints, README and metadata."""

from __future__ import annotations

import re

import pytest

from tests.meta.source import ROOT

pytestmark = pytest.mark.meta
NAMES = ("OLDEST", "BETWEEN", "AIRFLOW")
ROW = re.compile(r"^\| (3\.\d+) \| (3\.\d+\.\d+) \| 3\.(\d+) to 3\.(\d+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def makefile() -> str:
    return (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tested(makefile) -> list[str]:
    found = dict(re.findall(r"^([A-Z]+) := (3\.\S+)$", makefile, re.MULTILINE))
    return [found[name] for name in NAMES]


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, ...]]:
    return ROW.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def test_each_tested_airflow_has_constraints(tested):
    assert sorted(path.stem for path in (ROOT / "constraints").iterdir()) == [
        f"airflow-{version}" for version in tested
    ]
    for version in tested:
        pinned = (ROOT / "constraints" / f"airflow-{version}.txt").read_text(encoding="utf-8").splitlines()
        assert {f"apache-airflow=={version}", f"apache-airflow-client=={version}"} <= set(pinned)


def test_the_readme_lists_each_tested_airflow(tested, rows):
    assert [(minor, version) for minor, version, *_ in rows] == [
        (version.rpartition(".")[0], version) for version in tested
    ]


def test_classifiers_readme_and_makefile_name_the_same_pythons(makefile, rows):
    classifiers = re.findall(r'"Programming Language :: Python :: 3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    [candidates] = re.findall(r"for python in (.*?);", makefile)
    tried = re.findall(r"python3\.(\d+)", candidates)
    assert tried == classifiers[::-1]
    assert {oldest for *_, oldest, _ in rows} == {min(classifiers, key=int)}
    assert max((newest for *_, newest in rows), key=int) == max(classifiers, key=int)


def test_each_package_is_pinned_once():
    for path in (ROOT / "constraints").iterdir():
        pins = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        names = [re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower() for pin in pins]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[\w.-]+==[\w.+!]+", pin) for pin in pins)
