"""Arguments of a project that are read from a file next to the DAG."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from self_hosted.ayon.operators import AyonCreateProjectOperator

ANATOMY = {"tags": [{"name": "hero"}], "attributes": {"fps": 24}}


@pytest.mark.parametrize("native", [False, True])
def test_the_anatomy_may_be_a_template_file(tmp_path: Path, native: bool) -> None:
    text = json.dumps(ANATOMY).replace("hero", "{{ tag }}")
    (tmp_path / "anatomy.json").write_text(text)
    with DAG("d", schedule=None, template_searchpath=str(tmp_path), render_template_as_native_obj=native):
        operator = AyonCreateProjectOperator(task_id="create", name="film", code="flm", anatomy="anatomy.json")
    operator.resolve_template_files()  # as Airflow does when it parses the DAG
    values: Any = {"tag": "hero"}
    operator.render_template_fields(values)
    assert operator.project_spec.anatomy == ANATOMY
