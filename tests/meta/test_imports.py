"""Who may import whom, and what an import costs."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Iterable

import pytest

from tests.meta.code import PACKAGE, PRODUCTS, Module, is_in, modules

NETWORK = ("requests", "httpx", "tenacity", "urllib3", "aiohttp", "certifi")
SERVERS = ("starlette", "uvicorn", "fastapi")
ALLOWED = {*NETWORK, *SERVERS, "airflow", "self_hosted", "wtforms", "__future__"}
TOUCHING = ("airflow", "logging", "asyncio", "threading", "socket", "subprocess", "os", "pathlib", "time", *NETWORK)


def ours(names: Iterable[str]) -> set[str]:
    return {name for name in names if is_in(name, "self_hosted")}


def parts(*names: str) -> list[Module]:
    return [module for module in modules() if module.part in names]


@pytest.mark.parametrize("module", parts("core"), ids=str)
def test_the_core_knows_no_product(module: Module):
    own = {name for name in ours(module.imports) if not is_in(name, "self_hosted.core", "self_hosted.__version__")}
    assert own == set()


@pytest.mark.parametrize("module", parts(*PRODUCTS), ids=str)
def test_a_product_knows_the_core_and_itself(module: Module):
    allowed = ("self_hosted.core", f"self_hosted.{module.part}")
    assert {name for name in ours(module.imports) if not is_in(name, *allowed)} == set()


@pytest.mark.parametrize("module", parts("sandbox"), ids=str)
def test_the_sandbox_knows_only_itself(module: Module):
    assert {name for name in ours(module.imports) if not is_in(name, "self_hosted.sandbox")} == set()


@pytest.mark.parametrize("module", [module for module in modules() if module.part != "sandbox"], ids=str)
def test_nothing_in_production_knows_the_sandbox(module: Module):
    assert {name for name in module.imports if is_in(name, "self_hosted.sandbox")} == set()


@pytest.mark.parametrize("module", modules(), ids=str)
def test_one_file_talks_to_the_network(module: Module):
    network = {name for name in module.imports if is_in(name, *NETWORK)}
    assert network == set() or module.name == "self_hosted.core.transport"


@pytest.mark.parametrize("module", modules(), ids=str)
def test_nobody_but_the_transport_is_imported_with_the_network(module: Module):
    at_once = {name for name in module.imports_at_once if is_in(name, "self_hosted.core.transport", *SERVERS)}
    assert at_once == set() or module.part == "sandbox"


@pytest.mark.parametrize("module", modules(), ids=str)
def test_only_the_sandbox_serves(module: Module):
    assert {name for name in module.imports if is_in(name, *SERVERS)} == set() or module.part == "sandbox"


@pytest.mark.parametrize("module", modules(), ids=str)
def test_nothing_is_imported_that_is_no_dependency(module: Module):
    foreign = {name.split(".")[0] for name in module.imports} - sys.stdlib_module_names - ALLOWED
    assert foreign == set()


@pytest.mark.parametrize(
    "module", [m for m in modules() if is_in(m.name, *(f"self_hosted.{p}.api" for p in PRODUCTS))], ids=str
)
def test_flows_do_nothing_themselves_and_know_no_airflow(module: Module):
    assert {name for name in module.imports if is_in(name, *TOUCHING)} == set()


def test_the_description_of_the_provider_reads_forms_and_nothing_else():
    [info] = [module for module in modules() if module.name == "self_hosted.provider_info"]
    forms = {f"self_hosted.{product}.connection" for product in PRODUCTS}
    assert ours(info.imports) == {"self_hosted.__version__", *forms}


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_form_is_made_of_data(product):
    form = Module(PACKAGE / product / "connection.py")
    assert {name for name in form.imports if not is_in(name, "self_hosted.core.form", "__future__")} == set()
    assert (PACKAGE / product / "__init__.py").read_text().count("import ") == 0


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after this code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('\\n'.join(['', 'loaded:', *sys.modules]))"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(done.stdout.partition("loaded:\n")[2].split())


def test_airflow_reads_the_description_without_loading_anything_heavy():
    loaded = loaded_by("import self_hosted.provider_info as info; info.get_provider_info()")
    site = {name.split(".")[0] for name in loaded} - sys.stdlib_module_names - {"self_hosted", "__main__"}
    # the hooks by which editable installations are found are not our doing
    heavy = {name for name in site if not name.startswith(("_", "sitecustomize", "distutils"))}
    assert heavy == set()
    assert not {name for name in loaded if is_in(name, "asyncio", "email", "http")}
    assert sysconfig.get_python_version() >= "3.11"


def test_a_dag_that_uses_our_operators_is_parsed_without_the_network():
    before = loaded_by(
        "import airflow.sdk, airflow.providers.common.compat.sdk as s; s.BaseOperator, s.BaseHook, s.conf"
    )
    every = "\n".join(f"import self_hosted.{p}.operators, self_hosted.{p}.sensors" for p in PRODUCTS)
    added = loaded_by(f"import airflow.sdk, airflow.providers.common.compat.sdk as s; s.BaseOperator\n{every}") - before
    assert not {name for name in added if is_in(name, *NETWORK, *SERVERS, "self_hosted.core.transport")}
    assert "self_hosted.rudder.operators" in added
