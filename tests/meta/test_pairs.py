"""Each documented pair: the result of one task is an argument of another one, executed against the sandbox.

The result is passed on as it is, which is the same after an XCom stored it, and as templates render it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from self_hosted.sandbox.server import Sandbox
from tests.context import context
from tests.meta.pair_cases import BRANCHES, SOURCES, Workshop, build_other_arguments
from tests.meta.rules.pairs import PAIRS, Pair, get_full_name

CASES = [(product, pair, source) for product, pairs in PAIRS.items() for pair in pairs for source in pair.sources]
IDS = [f"{pair.task}.{pair.argument}={source}.{pair.key}" for _, pair, source in CASES]

FORMS: dict[str, tuple[Callable[[Any, str], Any], bool]] = {
    "value": (lambda value, _: value, False),
    "rendered text": (lambda _, template: template, False),
    "native rendering": (lambda _, template: template, True),
}
"""The argument, from the value or its template, and whether the DAG renders templates as native objects."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    with Sandbox() as sandbox:
        workshop = Workshop(sandbox, tmp_path_factory.mktemp("pairs"))
        workshop.prepare()
        yield workshop


@pytest.fixture(autouse=True)
def _connected(shop: Workshop, connect: Any) -> None:
    for product, served in shop.served.items():
        connect(f"{product}_default", served.connection())


@pytest.mark.parametrize(("product", "pair", "source"), CASES, ids=IDS)
def test_the_result_of_one_task_is_an_argument_of_another(shop: Workshop, product: str, pair: Pair, source: Any):
    source_name, target = get_full_name(product, str(source)), get_full_name(product, pair.task)
    result = shop.get_result(source_name)
    assert json.loads(json.dumps(result)) == result
    value = result[pair.key] if pair.key else result
    template = f"result['{pair.key}']" if pair.key else "result"
    if pair.is_mapped:
        assert value
        value, template = value[0], f"{template}[0]"
    for create_argument, is_native in FORMS.values():
        argument = create_argument(value, f"{{{{ {template} }}}}")
        others = build_other_arguments(shop, target, pair.argument, result)
        run_target(shop, target, {pair.argument: argument, **others}, {"result": result}, is_native=is_native)


def run_target(
    shop: Workshop, target: str, arguments: dict[str, Any], values: dict[str, Any], *, is_native: bool
) -> None:
    """Render the templates of a task, and execute it."""
    is_branch = target == "AssemblylineVerdictBranchOperator"
    paths = {name: name for name in BRANCHES} if is_branch else {}
    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), render_template_as_native_obj=is_native):
        task = shop.create(target, **paths, **arguments)
    task.render_template_fields(values)
    if is_branch:
        shop.run_branch(submission=task.submission)
    else:
        assert task.execute(context(task)) is not None


@pytest.mark.meta
def test_every_source_is_used():
    used = {get_full_name(product, str(source)) for product, _, source in CASES}
    assert used == set(SOURCES)


def test_a_report_pushes_its_iocs_as_an_xcom_of_their_own(shop: Workshop):
    report = shop.create("AssemblylineGetReportOperator", sid="s")
    assert report.multiple_outputs is True
    assert report.output["iocs"].key == "iocs"
    assert shop.create("AssemblylineGetReportOperator", sid="s", multiple_outputs=False).multiple_outputs is False
