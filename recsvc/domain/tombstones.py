"""Tombstones: who was erased, as keyed hashes of ids, so that whoever holds the list cannot read who is on it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

TOMBSTONE_BYTES, KEY_BYTES = 16, 32


def tombstone_of(customer_id: str, key: bytes) -> bytes:
    """Keyed hash of an id, 16 bytes.

    Examples
    --------
    >>> tombstone_of("7", bytes(32)) == tombstone_of("7", bytes(32)) != tombstone_of("7", bytes(31) + b"x")
    True
    """
    encoded = customer_id.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(encoded, digest_size=TOMBSTONE_BYTES, key=key).digest()


@dataclass(frozen=True, slots=True)
class Tombstones:
    """Who was erased, under one key; empty where nobody was."""

    key: bytes = bytes(KEY_BYTES)
    hashes: frozenset[bytes] = frozenset()

    def among(self, customer_ids: Iterable[str]) -> frozenset[str]:
        """Those of some customers who were erased."""
        if not self.hashes:
            return frozenset()
        return frozenset(one for one in customer_ids if tombstone_of(one, self.key) in self.hashes)
