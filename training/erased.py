"""Leaving out customers who were erased: their lines stay, as those of nobody."""

from __future__ import annotations

from pathlib import Path

import ibis
import orjson
from ibis.expr.types import Table

from recsvc.domain.tombstones import KEY_BYTES, TOMBSTONE_BYTES, Tombstones
from recsvc.errors import DataError
from training.config import TrainingConfig
from training.session import Session


def without_erased(session: Session, typed: Table, config: TrainingConfig) -> Table:
    """Typed order lines in which who was erased has no id.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    if config.erasures is None:
        return typed
    tombstones = read_tombstones(config.erasures.path)
    ids = typed.select("customer_id").distinct().to_pyarrow()["customer_id"].drop_null().to_pylist()
    erased = sorted(tombstones.among(ids))
    if not erased:
        return typed
    gone = ibis.memtable({"customer_id": erased}, schema=ibis.schema({"customer_id": "string"}))
    is_gone = typed.customer_id.isin(gone.customer_id).fill_null(False)
    return session.store("not_erased", typed.mutate(customer_id=is_gone.ifelse(ibis.null("string"), typed.customer_id)))


def read_tombstones(path: Path) -> Tombstones:
    """Read what `recsvc privacy tombstones` wrote.

    Raises
    ------
    DataError
    """
    fix = "write it anew: recsvc privacy tombstones FILE"
    try:
        content = orjson.loads(path.read_bytes())
        found = Tombstones(bytes.fromhex(content["key"]), frozenset(map(bytes.fromhex, content["tombstones"])))
    except OSError as error:
        raise DataError(str(path), f"cannot be read ({error.strerror})", fix) from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(str(path), "is no file of tombstones", fix) from error
    if len(found.key) != KEY_BYTES or {len(one) for one in found.hashes} - {TOMBSTONE_BYTES}:
        raise DataError(str(path), "is no file of tombstones", fix)
    return found
