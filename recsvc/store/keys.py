"""API keys: made, listed, revoked and kept as hashes.

A key reads `rsk_<key_id>_<secret>`; the secret is 256 random bits. One SHA-256 of it is stored: slow
password hashes defend guessable secrets, and nobody guesses 256 bits, so a slow hash would only slow every
request down. The plaintext exists once, in the reply of `create`. Keys never reach a log.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

import sqlalchemy as sa

from recsvc.errors import ConfigError, RecsvcError
from recsvc.store.engine import reaching, writing
from recsvc.store.schema import api_keys

Scope = Literal["read", "ingest", "campaign", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
MARK = "rsk"
SECRET_BYTES = 32
KEY_ID_BYTES = 6


@dataclass
class UnknownKey(RecsvcError):
    """No key has this id."""

    key_id: str
    code = "unknown_key"

    def __str__(self) -> str:
        return f"no key has the id {self.key_id!r}; `recsvc keys list` shows them"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as stored; `digest` is SHA-256 of the plaintext, `revoked_at` None while it works."""

    key_id: str
    name: str
    scopes: frozenset[str]
    digest: bytes
    created_at: datetime
    revoked_at: datetime | None


class KeyStore:
    """The keys in the live store; every call asks the database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> sa.Engine:
        """The store the keys are in."""
        return self._engine

    def create(self, name: str, scopes: Collection[str], *, created_at: datetime) -> tuple[str, ApiKey]:
        """Make a key; the plaintext returned first can never be read again.

        Raises
        ------
        ConfigError
            If the name is blank, no scope is given, or one is unknown.
        StoreUnavailable
            If the database does not answer.
        """
        _validate(name, scopes)
        key_id = secrets.token_hex(KEY_ID_BYTES)
        plaintext = f"{MARK}_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
        key = ApiKey(key_id, name, frozenset(scopes), digest_of(plaintext), created_at, None)
        row = {
            "key_id": key.key_id,
            "name": key.name,
            "scopes": " ".join(scope for scope in SCOPES if scope in key.scopes),
            "digest": key.digest,
            "created_at": created_at.isoformat(),
        }
        with writing(self._engine) as connection:
            connection.execute(sa.insert(api_keys).values(row))
        return plaintext, key

    def list(self) -> tuple[ApiKey, ...]:
        """Every key ever made, oldest first, revoked ones included."""
        ordered = sa.select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id)
        with reaching(self._engine) as connection:
            return tuple(_api_key(row) for row in connection.execute(ordered))

    def revoke(self, key_id: str, *, revoked_at: datetime) -> None:
        """End a key; a second revocation changes nothing. Workers refuse it within five seconds.

        Raises
        ------
        UnknownKey
            If there is no such key.
        """
        which = api_keys.c.key_id == key_id
        with writing(self._engine) as connection:
            if connection.scalar(sa.select(sa.func.count()).where(which)) == 0:
                raise UnknownKey(key_id)
            still_works = sa.and_(which, api_keys.c.revoked_at.is_(None))
            connection.execute(sa.update(api_keys).where(still_works).values(revoked_at=revoked_at.isoformat()))


def digest_of(plaintext: str) -> bytes:
    """SHA-256 of a key; shape 32 bytes."""
    return hashlib.sha256(plaintext.encode("utf-8", "surrogatepass")).digest()


def key_id_of(plaintext: str) -> str | None:
    """Public part of a key, None when it does not look like one of ours.

    Examples
    --------
    >>> key_id_of("rsk_00ff_a_b")
    '00ff'
    >>> key_id_of("letmein") is None
    True
    """
    mark, _, rest = plaintext.partition("_")
    key_id, _, secret = rest.partition("_")
    return key_id if mark == MARK and key_id and secret else None


def _validate(name: str, scopes: Collection[str]) -> None:
    if not name.strip():
        raise ConfigError("name", "is blank", "say who will use the key")
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        problem = f"{', '.join(unknown)} is not a scope" if unknown else "none given"
        raise ConfigError("scope", problem, f"choose from {', '.join(SCOPES)}")


def _api_key(row: sa.Row[tuple[object, ...]]) -> ApiKey:
    revoked_at = row.revoked_at and datetime.fromisoformat(row.revoked_at)
    created_at = datetime.fromisoformat(row.created_at)
    return ApiKey(row.key_id, row.name, frozenset(row.scopes.split()), row.digest, created_at, revoked_at or None)
