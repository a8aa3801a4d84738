"""The imports of all modules: layers, independent parts, dependencies, and the cost of an import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

import pytest

from tests.meta.rules.imports import (
    NETWORK,
    RETRIES,
    SERVERS,
    SIDE_EFFECTS,
    TRANSPORTS,
    list_early_network_imports,
    list_forbidden_imports,
    list_forbidden_references,
    list_foreign_references,
    list_import_cycles,
    list_layer_violations,
    list_network_imports,
    list_undeclared_imports,
)
from tests.meta.source import PACKAGE, PRODUCTS, Module, assert_none, is_within, provider_modules

pytestmark = pytest.mark.meta


def parts(*names: str) -> list[Module]:
    return [module for module in provider_modules() if module.part in names]


def production() -> list[Module]:
    return [module for module in provider_modules() if module.part != "sandbox"]


def flows() -> list[Module]:
    return [
        module
        for module in provider_modules()
        for product in PRODUCTS
        if is_within(module.name, f"self_hosted.{product}.api", f"self_hosted.{product}.errors")
    ]


def test_each_package_of_the_core_imports_only_lower_ones():
    assert_none(list_layer_violations(provider_modules()))


def test_no_modules_import_each_other():
    assert_none(list_import_cycles(provider_modules()))


def test_the_core_imports_no_product():
    assert_none(list_foreign_references(parts("core"), "self_hosted.core", "self_hosted.__version__"))


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_product_imports_only_the_core_and_itself(product):
    assert_none(list_foreign_references(parts(product), "self_hosted.core", f"self_hosted.{product}"))


def test_the_sandbox_imports_only_itself():
    assert_none(list_foreign_references(parts("sandbox"), "self_hosted.sandbox"))


def test_production_code_imports_no_sandbox():
    assert_none(list_forbidden_references(production(), lambda name: is_within(name, "self_hosted.sandbox")))


def test_only_the_transports_use_the_network():
    assert_none(list_network_imports(provider_modules()))


def test_the_transports_are_imported_late():
    assert_none(list_early_network_imports(production()))


def test_every_import_is_of_a_dependency():
    assert_none(list_undeclared_imports(provider_modules()))


def test_flows_have_no_side_effects_and_do_not_depend_on_airflow():
    assert_none(list_forbidden_imports(flows(), lambda name: is_within(name, *SIDE_EFFECTS)))


def test_the_provider_info_imports_only_the_forms():
    forms = {f"self_hosted.{product}.connection" for product in PRODUCTS}
    [info] = parts("provider_info")
    allowed = ("self_hosted.__version__", *forms)
    assert_none(
        list_forbidden_imports([info], lambda name: is_within(name, "self_hosted") and not is_within(name, *allowed))
    )
    assert {name for name in info.imports if is_within(name, *forms)}


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_connection_form_is_plain_data(product):
    form = [module for module in parts(product) if module.name == f"self_hosted.{product}.connection"]
    allowed = ("self_hosted.core.connection.form", "__future__")
    assert form
    assert_none(list_forbidden_imports(form, lambda name: not is_within(name, *allowed)))
    assert (PACKAGE / product / "__init__.py").read_text().count("import ") == 0


def list_loaded_modules(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('\\n'.join(['', 'loaded:', *sys.modules]))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.partition("loaded:\n")[2].split())


def list_third_party(names: Iterable[str]) -> set[str]:
    packages = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"self_hosted", "__main__"}
    # the import hooks of editable installations are not ours
    return {name for name in packages if not name.startswith(("_", "sitecustomize", "distutils"))}


def test_the_provider_info_is_read_without_heavy_imports():
    loaded = list_loaded_modules("import self_hosted.provider_info as info; info.get_provider_info()")
    assert list_third_party(loaded) == set()
    assert not {name for name in loaded if is_within(name, "asyncio", "email", "http")}


def test_a_dag_with_our_operators_is_parsed_without_network_libraries():
    code = "import airflow.sdk, airflow.providers.common.compat.sdk as s; s.BaseOperator, s.BaseHook, s.conf"
    products = "\n".join(
        f"import self_hosted.{product}.operators, self_hosted.{product}.sensors" for product in PRODUCTS
    )
    added = list_loaded_modules(f"{code}\n{products}") - list_loaded_modules(code)
    assert not {name for name in added if is_within(name, *NETWORK, *SERVERS, *TRANSPORTS)}
    assert "self_hosted.rudder.operators" in added


class TestRules:
    """Each rule reports a violation."""

    @pytest.mark.parametrize(
        ("name", "source"),
        [
            ("self_hosted.core.http.flow", "from self_hosted.core.wait.loop import poll"),
            ("self_hosted.core.http.flow", "from self_hosted.core import connection"),
            ("self_hosted.core.imports", "import self_hosted.core.http"),
            ("self_hosted.core.events.feed", "def f():\n    from self_hosted.core.tasks.operator import x"),
            ("self_hosted.core.wait.spec", "if TYPE_CHECKING:\n    from ..events import feed"),
            ("self_hosted.core.http.errors", "from airflow.exceptions import AirflowException"),
            ("self_hosted.core.wait.spec", "feed = lazy_import('self_hosted.core.events.feed')"),
        ],
    )
    def test_a_higher_layer_is_reported(self, name, source):
        assert len(list_layer_violations([Module(name, source)])) == 1

    def test_lower_layers_and_the_own_one_are_accepted(self):
        source = "from self_hosted.core.http.flow import Flow\nfrom self_hosted.core.wait import spec\nimport airflow"
        modules = [Module("self_hosted.core.wait.loop", source), Module("self_hosted.rudder.hook", source)]
        assert list_layer_violations(modules) == []

    def test_a_cycle_is_reported_once_even_under_type_checking(self):
        modules = [
            Module("a", "import b"),
            Module("b", "if TYPE_CHECKING:\n    from c import C"),
            Module("c", "def f():\n    import a"),
            Module("d", "import a"),
        ]
        assert list_import_cycles(modules) == ["a <-> b <-> c"]

    def test_a_package_that_imports_a_module_that_imports_the_package_is_a_cycle(self):
        modules = [Module("a", "from a import b", is_package=True), Module("a.b", "from . import x")]
        assert list_import_cycles(modules) == ["a <-> a.b"]

    def test_modules_of_one_package_that_import_in_one_direction_are_no_cycle(self):
        modules = [Module("a", "", is_package=True), Module("a.b", "from a import c"), Module("a.c", "import json")]
        assert list_import_cycles(modules) == []

    def test_a_foreign_part_is_reported(self):
        module = Module("self_hosted.rudder.hook", "from self_hosted.ayon import hook\nimport self_hosted.core.imports")
        assert list_foreign_references([module], "self_hosted.core", "self_hosted.rudder") == [
            "self_hosted.rudder.hook refers to self_hosted.ayon.hook"
        ]

    def test_a_foreign_part_in_a_text_is_reported(self):
        source = (
            '"""Like self_hosted.ayon.waits."""\nSPEC = "self_hosted.ayon.waits.EVENT"\nTEXT = "self_hosted.ayon, too"'
        )
        assert list_foreign_references([Module("self_hosted.rudder.waits", source)], "self_hosted.rudder") == [
            "self_hosted.rudder.waits refers to self_hosted.ayon.waits.EVENT"
        ]

    def test_an_undeclared_dependency_is_reported(self):
        assert list_undeclared_imports([Module("a", "import json, numpy.linalg")]) == ["a imports numpy.linalg"]

    def test_only_an_early_import_of_the_transport_is_reported(self):
        statement = f"from {TRANSPORTS[0]} import send"
        early, late = Module("early", statement), Module("late", f"def f():\n    {statement}")
        assert list_early_network_imports([early, late]) == [f"early imports {TRANSPORTS[0]}.send at module level"]

    def test_a_server_in_production_code_is_reported(self):
        modules = [
            Module(f"self_hosted.{part}.page", "from starlette.routing import Route") for part in ("core", "sandbox")
        ]
        assert list_undeclared_imports(modules) == ["self_hosted.core.page imports starlette.routing.Route"]

    def test_a_network_library_outside_the_transport_is_reported(self):
        modules = [Module(name, "import httpx, tenacity") for name in (TRANSPORTS[0], RETRIES, "other")]
        assert list_network_imports(modules) == [
            f"{RETRIES} imports httpx",
            "other imports httpx",
            "other imports tenacity",
        ]

    def test_a_forbidden_import_is_reported(self):
        modules = [Module("a", "import requests"), Module("b", "import json")]
        assert list_forbidden_imports(modules, lambda name: is_within(name, "requests")) == ["a imports requests"]
