"""How much memory a worker needs to submit a large file: ``python benchmarks/upload_memory.py``.

A sparse file of 1 GiB is submitted to the sandbox, which runs in another process. What is printed is the growth of
this process's peak memory over what it has after a small upload. It fails from 32 MiB on. Linux only.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import requests

from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.operators import AssemblylineSubmitFileOperator

MIB = 1024 * 1024
SIZE = 1024 * MIB
ALLOWED = 32


def serve(pipe: Connection) -> None:
    """Serve Assemblyline's stand-in until told to stop."""
    from self_hosted.sandbox.assemblyline import Assemblyline
    from self_hosted.sandbox.server import Sandbox

    with Sandbox(products=[Assemblyline()]) as sandbox:
        pipe.send((sandbox.url, sandbox.products[0].connection(sandbox.url)))
        pipe.recv()


def sparse(folder: str, size: int) -> str:
    """A file of this size that takes no room on the disk."""
    path = Path(folder, f"{size}.bin")
    with path.open("wb") as file:
        file.truncate(size)
    return str(path)


def submit(path: str) -> float:
    """Submit a file as the operator does, and return the seconds it took."""
    operator = AssemblylineSubmitFileOperator(task_id="submit", file=path)
    began = time.monotonic()
    AssemblylineHook().submit(operator._upload(), {})
    return time.monotonic() - began


def forget_peak() -> None:
    """Let the peak begin anew, so that what importing took does not hide what uploading takes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def peak() -> float:
    """The most memory this process had since then, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


def main() -> None:
    """Measure, print, judge."""
    here, there = multiprocessing.Pipe()
    # spawned, for a forked child would share pages with the process that is measured
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,))
    server.start()
    try:
        url, connection = here.recv()
        os.environ["AIRFLOW_CONN_ASSEMBLYLINE_DEFAULT"] = json.dumps(connection)
        limit = {"submission.max_file_size": SIZE}
        requests.post(f"{url}/_control/seed", json={"assemblyline": {"configuration": limit}}, timeout=10)
        with tempfile.TemporaryDirectory() as folder:
            submit(sparse(folder, MIB))
            forget_peak()
            before = peak()
            seconds = submit(sparse(folder, SIZE))
        growth = peak() - before
    finally:
        here.send("stop")
        server.join(10)
    print(f"submitted {SIZE // MIB} MiB in {seconds:.1f} s; peak memory grew by {growth:.1f} MiB from {before:.0f} MiB")
    if growth >= ALLOWED:
        sys.exit(f"{ALLOWED} MiB are allowed")


if __name__ == "__main__":
    main()
