"""The layout of the project: the same files everywhere, each of a readable length and with a purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.meta.rules.layout import (
    MACHINE_PATH,
    UNFINISHED_WORK,
    find_lines,
    list_docstring_violations,
    list_long_modules,
    list_packages_without_paragraph,
    list_product_file_violations,
    list_reexports,
    list_trigger_violations,
    list_undocumented_functions,
    list_waits_without_spec,
)
from tests.meta.source import (
    PACKAGE,
    PRODUCTS,
    ROOT,
    Module,
    assert_none,
    is_within,
    list_text_files,
    provider_modules,
    read_modules,
)

pytestmark = pytest.mark.meta


def product_modules() -> list[Module]:
    return [module for module in provider_modules() if module.part in PRODUCTS]


def test_every_product_has_the_same_files():
    assert_none([problem for product in PRODUCTS for problem in list_product_file_violations(PACKAGE / product)])


def test_triggers_are_event_triggers_and_wait_specs_are_in_waits():
    assert_none(list_trigger_violations(product_modules()))
    assert_none(list_waits_without_spec(product_modules()))


def test_the_api_packages_export_nothing():
    names = {f"self_hosted.{product}.api" for product in PRODUCTS}
    assert_none(list_reexports(module for module in product_modules() if module.name in names))


def test_each_package_of_the_core_has_a_docstring_of_one_paragraph():
    core = [module for module in provider_modules() if is_within(module.name, "self_hosted.core")]
    assert_none(list_packages_without_paragraph(core))


def test_every_product_has_a_fake_server_tests_a_page_and_an_example():
    expected = [
        path
        for product in PRODUCTS
        for path in (
            f"provider/self_hosted/sandbox/{product}",
            *(f"tests/{product}/test_{name}.py" for name in ("hook", "waits", "recovery", "contract")),
            f"tests/sandbox/{product}",
            f"docs/{product}.md",
            f"example_dags/example_{product}.py",
        )
    ]
    assert_none([path for path in expected if not (ROOT / path).exists()])


def test_no_module_is_too_long():
    assert_none(list_long_modules(provider_modules()))


def test_every_module_has_a_docstring():
    assert_none(list_docstring_violations(provider_modules()))


def test_public_functions_are_described_with_all_their_parameters():
    modules = [module for module in provider_modules() if module.part in {"core", *PRODUCTS}]
    assert_none(list_undocumented_functions(modules))


@pytest.mark.parametrize("pattern", [MACHINE_PATH, UNFINISHED_WORK], ids=["machine path", "unfinished work"])
def test_nothing_is_left_behind(pattern):
    assert_none(find_lines(list_text_files(), pattern))


def test_type_checkers_use_the_annotations_of_the_package():
    assert (PACKAGE / "py.typed").is_file()


class TestRules:
    """Each rule reports a violation."""

    def create_product(self, folder: Path, *files: str) -> Path:
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).touch()
        return folder

    COMPLETE = (
        *(f"{name}.py" for name in ("__init__", "connection", "errors", "hook", "sensors", "waits", "triggers")),
        *("api/__init__.py", "api/jobs.py", "operators/__init__.py"),
    )

    def test_a_complete_product_is_accepted(self, tmp_path):
        assert list_product_file_violations(self.create_product(tmp_path, *self.COMPLETE)) == []

    def test_a_product_may_have_a_target_of_the_sync(self, tmp_path):
        folder = self.create_product(tmp_path, *self.COMPLETE, "sync/__init__.py", "sync/target.py")
        assert list_product_file_violations(folder) == []

    def test_missing_and_unexpected_files_are_reported(self, tmp_path):
        kept = [file for file in self.COMPLETE if file not in {"waits.py", "api/__init__.py", "api/jobs.py"}]
        folder = self.create_product(tmp_path / "toy", *kept, "api.py", "helpers/__init__.py")
        assert list_product_file_violations(folder) == [
            "toy lacks the module waits",
            "toy has the unexpected module api",
            "toy lacks the package api",
            "toy has the unexpected package helpers",
        ]

    def test_a_folder_of_modules_without_init_is_reported(self, tmp_path):
        kept = [file for file in self.COMPLETE if file != "api/__init__.py"]
        folder = self.create_product(tmp_path / "toy", *kept, "helpers/files.py")
        assert list_product_file_violations(folder) == [
            "toy lacks the package api",
            "toy has the unexpected package helpers",
        ]

    def test_a_trigger_that_is_no_event_trigger_is_reported(self):
        source = "class Good(FeedTrigger): pass\nclass Bad(BaseTrigger): pass\nclass _Base(BaseTrigger): pass"
        assert list_trigger_violations([Module("toy.triggers", source)]) == [
            "toy.triggers defines Bad, which is no FeedTrigger"
        ]

    def test_a_wait_spec_outside_of_waits_is_reported(self):
        source = "JOB = WaitSpec(label='job')"
        for statement in (source, "JOB = spec.WaitSpec(label='job')"):
            assert list_trigger_violations([Module("toy.triggers", statement)]) == [
                "toy.triggers defines a WaitSpec in line 1"
            ]
        assert list_trigger_violations([Module("toy.waits", source)]) == []
        assert list_waits_without_spec([Module("toy.waits", ""), Module("other.waits", source)]) == [
            "toy.waits defines no WaitSpec"
        ]

    def test_a_package_that_exports_is_reported(self):
        module = Module("toy.api", '"""API."""\nfrom toy.api.jobs import run as run', is_package=True)
        assert list_reexports([module]) == ["toy.api imports toy.api.jobs.run"]

    def test_a_package_without_a_docstring_of_one_paragraph_is_reported(self):
        packages = [
            Module("none", "", True),
            Module("two", '"""One.\n\nTwo."""', True),
            Module("one", '"""One\nline."""', True),
        ]
        assert [violation.split()[0] for violation in list_packages_without_paragraph(packages)] == ["none", "two"]

    def test_a_module_without_docstring_is_reported_unless_it_is_empty(self):
        assert list_docstring_violations([Module("a", "x = 1"), Module("b", "")]) == ["a has no docstring"]

    def test_a_long_module_is_reported(self):
        assert list_long_modules([Module("a", "\n" * 5), Module("b", "\n" * 4)], limit=4) == [
            "a has 5 lines, more than 4"
        ]

    def test_undocumented_functions_and_parameters_are_reported(self):
        source = 'def f(): pass\ndef g(x, y): """:param x: one"""\ndef _h(): pass\ndef i(x): """Return x."""'
        assert list_undocumented_functions([Module("a", source)]) == ["a.f has no docstring", "a.g does not describe y"]

    @pytest.mark.parametrize(
        ("pattern", "text"),
        [
            (MACHINE_PATH, "open('/ho" + "me/bo/x')"),
            (MACHINE_PATH, "/ro" + "ot/x"),
            (MACHINE_PATH, r"C:\Us" + "ers"),
            (MACHINE_PATH, r"C:\\Us" + "ers"),
            (UNFINISHED_WORK, "# TO" + "DO: x"),
        ],
    )
    def test_what_is_left_behind_is_reported(self, tmp_path, pattern, text):
        (tmp_path / "a.py").write_text(f"x = 1\n{text}\n")
        assert list(find_lines([tmp_path / "a.py"], pattern)) == [f"{tmp_path / 'a.py'}:2: {text}"]

    def test_modules_have_the_names_by_which_they_are_imported(self, tmp_path):
        folder = self.create_product(tmp_path / "toy", "__init__.py", "api/__init__.py", "api/jobs.py")
        assert [(module.name, module.is_package) for module in read_modules(folder)] == [
            ("toy", True),
            ("toy.api", True),
            ("toy.api.jobs", False),
        ]

    @pytest.mark.parametrize(
        ("name", "is_package", "statement", "imported"),
        [
            ("a.b.c", False, "from . import d", "a.b.d"),
            ("a.b.c", False, "from ..d import e", "a.d.e"),
            ("a.b", True, "from . import c", "a.b.c"),
            ("a.b", True, "from .c import d", "a.b.c.d"),
        ],
    )
    def test_relative_imports_have_full_names(self, name, is_package, statement, imported):
        assert Module(name, statement, is_package).imports == {imported}
