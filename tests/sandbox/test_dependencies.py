"""The libraries of the extra ``[sandbox]``."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from self_hosted.sandbox.dependencies import MODULES

ROOT = Path(__file__).parents[2]
RUN_COMMAND = "import runpy; runpy.run_module('self_hosted.sandbox', run_name='__main__')"
CREATE_SANDBOX = "from self_hosted.sandbox.server import Sandbox; Sandbox()"
CREATE_SERVERS = "from self_hosted.sandbox.server import create_servers; create_servers()"


@pytest.mark.parametrize(("code", "prefix"), [(RUN_COMMAND, ""), (CREATE_SANDBOX, ".*"), (CREATE_SERVERS, ".*")])
def test_a_missing_library_is_reported_in_one_sentence_that_names_the_extra(code, prefix):
    # None in sys.modules makes Python treat a module as not installed
    block = f"import sys; sys.modules.update(dict.fromkeys({list(MODULES)}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{block}\n{code}"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    *_, last_line = done.stderr.splitlines()
    sentence = (
        f"the sandbox requires {', '.join(MODULES.values())}; "
        "install the extra with: pip install 'airflow-provider-self-hosted[sandbox]'"
    )
    assert re.fullmatch(prefix + re.escape(sentence), last_line)
    assert prefix or done.stderr.splitlines() == [sentence]


def test_the_check_covers_every_library_of_the_extra():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    names = {re.match(r"[\w-]+", requirement).group() for requirement in extras["sandbox"]}  # type: ignore[union-attr]
    assert names == set(MODULES.values())
    assert any(re.fullmatch(r"airflow-provider-self-hosted\[.*\bsandbox\b.*\]", name) for name in extras["test"])
