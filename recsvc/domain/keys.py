"""Short keys for ids of any length: 16 bytes, which fit into any index."""

from __future__ import annotations

import hashlib


def key_of_id(some_id: str) -> bytes:
    """16-byte BLAKE2b of a customer's or an item's id."""
    return hashlib.blake2b(some_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
