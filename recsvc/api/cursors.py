"""Cursors of paged lists: where the page before ended, and in which bundle. Opaque to callers, no secret."""

from __future__ import annotations

import base64
import binascii

import orjson

from recsvc.api.refusals import CursorOutdated, FieldProblem, InvalidRequest

MAX_RANK = 2**31


def write_cursor(bundle_id: str, after_rank: int) -> str:
    """Cursor that continues below `after_rank` of this bundle's list.

    Examples
    --------
    >>> read_cursor(write_cursor("b1", 50), "b1")
    50
    """
    return base64.urlsafe_b64encode(orjson.dumps([bundle_id, after_rank])).decode().rstrip("=")


def read_cursor(cursor: str, bundle_id: str) -> int:
    """Rank the page before ended with; 1 or more.

    Raises
    ------
    CursorOutdated
        If it was made from another bundle, whose ranks mean something else.
    InvalidRequest
        If it is no cursor of ours.
    """
    made_from, after_rank = _parse(cursor)
    if made_from != bundle_id:
        raise CursorOutdated
    return after_rank


def _parse(cursor: str) -> tuple[str, int]:
    try:
        parsed = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise _invalid() from None
    match parsed:
        case [str(made_from), int(after_rank)] if after_rank is not True and 1 <= after_rank < MAX_RANK:
            return made_from, after_rank
        case _:
            raise _invalid()


def _invalid() -> InvalidRequest:
    return InvalidRequest((FieldProblem("query.cursor", "not a cursor of this service; leave it out to begin"),))
