"""How the live store's tables came to be what they are, one numbered step after the other, run by `open_store`.

A step is never changed once it is released; the next one is written beside it, numbered one higher, and
`recsvc.store.schema` says what all of them together lead to. Old releases read `schema_version` and refuse what
is newer than they are, so every step but the first ends by writing its number there.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

HEAD = "head"


def upgrade(connection: sa.Connection) -> None:
    """Run the steps that a store lacks, within the transaction of the caller."""
    scripts = ScriptDirectory(str(Path(__file__).parent))

    def steps(revision: str | tuple[str, ...] | None, _context: MigrationContext) -> list[RevisionStep]:
        return scripts._upgrade_revs(HEAD, revision or ())  # type: ignore[arg-type]  # as alembic's own command

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
