"""Many threads use the modules of a product for the first time at the same time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.source import PRODUCTS

CHECKOUT = Path(__file__).parents[2]
THREADS, ROUNDS = 10, 2
SCRIPT = """
import ast, functools, importlib.util, sys, threading
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import airflow.providers.common.compat.sdk

product, number_of_threads, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
uses = 0


@functools.cache
def list_functions(module):
    source = Path(importlib.util.find_spec(module).origin).read_text(encoding="utf-8")
    return [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]


def use_all(barrier):
    barrier.wait()
    global uses
    from self_hosted.core.imports import LazyModule

    for part in ("operators", "sensors", "hook", "waits", "triggers"):
        package = import_module(f"self_hosted.{product}.{part}")
        for name in dir(package):
            value = getattr(package, name)
            module = sys.modules.get(getattr(value, "__module__", None) or "")
            lazy_modules = [found for found in vars(module).values() if type(found) is LazyModule] if module else []
            for lazy in lazy_modules:
                assert all(callable(getattr(lazy, function)) for function in list_functions(lazy.__name__))
                uses += 1


for _ in range(rounds):
    for name in [name for name in sys.modules if name.partition(".")[0] == "self_hosted"]:
        del sys.modules[name]
    barrier = threading.Barrier(number_of_threads)
    with ThreadPoolExecutor(number_of_threads) as threads:
        for future in [threads.submit(use_all, barrier) for _ in range(number_of_threads)]:
            future.result()
print(uses)
"""


@pytest.mark.parametrize("product", PRODUCTS)
def test_threads_can_use_a_product_for_the_first_time_at_the_same_time(product: str):
    command = [sys.executable, "-c", SCRIPT, product, str(THREADS), str(ROUNDS)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) >= THREADS * ROUNDS  # each thread used lazy modules
