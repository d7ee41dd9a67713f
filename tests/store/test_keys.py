from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from recsvc.errors import ConfigError
from recsvc.store.engine import open_store
from recsvc.store.keys import KeyStore, UnknownKey, digest_of

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyStore]:
    store = KeyStore(open_store(f"sqlite:///{tmp_path / 'live.sqlite'}"))
    yield store
    store.engine.dispose()


def test_a_key_is_listed_as_it_was_made(keys: KeyStore) -> None:
    plaintext, made = keys.create("storefront", ["read", "ingest"], created_at=MONDAY)

    (listed,) = keys.list()

    assert listed == made
    assert (listed.name, listed.scopes, listed.created_at) == ("storefront", {"read", "ingest"}, MONDAY)
    assert listed.digest == digest_of(plaintext)
    assert listed.revoked_at is None


def test_the_secret_is_long_and_never_stored(keys: KeyStore) -> None:
    plaintext, _ = keys.create("storefront", ["read"], created_at=MONDAY)

    secret = plaintext.split("_", 2)[2]
    dump = "\n".join(keys.engine.raw_connection().driver_connection.iterdump())
    assert len(secret) == 43  # 256 bits in base 64
    assert secret not in dump


def test_no_two_keys_are_alike(keys: KeyStore) -> None:
    made = [keys.create("same", ["read"], created_at=MONDAY)[0] for _ in range(50)]

    assert len(set(made)) == len(keys.list()) == 50


def test_a_revocation_is_kept_with_its_first_moment(keys: KeyStore) -> None:
    _, made = keys.create("storefront", ["read"], created_at=MONDAY)

    keys.revoke(made.key_id, revoked_at=MONDAY)
    keys.revoke(made.key_id, revoked_at=TUESDAY)

    assert [key.revoked_at for key in keys.list()] == [MONDAY]


def test_revoking_a_key_there_is_not_says_so(keys: KeyStore) -> None:
    with pytest.raises(UnknownKey, match="recsvc keys list"):
        keys.revoke("nothing", revoked_at=MONDAY)


@pytest.mark.parametrize(
    ("name", "scopes", "wrong"), [(" ", ["read"], "name"), ("a", [], "none given"), ("a", ["write"], "write")]
)
def test_a_key_without_name_or_sense_is_refused(keys: KeyStore, name: str, scopes: list[str], wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        keys.create(name, scopes, created_at=MONDAY)

    assert keys.list() == ()


def test_sqlite_keeps_what_it_committed(keys: KeyStore) -> None:
    with keys.engine.connect() as connection:
        pragmas = [connection.scalar(sa.text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous")]

    assert pragmas == ["wal", 2]  # 2 is FULL
