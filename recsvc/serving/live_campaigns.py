"""What running campaigns promised, for the storefront: whoever is in none costs a request nothing.

Which campaigns run is asked every few seconds, and the keys of their members are kept, 8 bytes each: only for those is
the store asked what they were promised. So a launch, and a close, is seen by all workers within `EVERY`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.keys import key_of_id
from recsvc.serving.customer_state import day_of
from recsvc.serving.slate import Promise, Reason, Recommendation
from recsvc.store.campaigns import CampaignStore, Launch, Member

EVERY = timedelta(seconds=5)
SHORT = 8  # bytes of a key: two customers who share them cost a question to the store, nothing else
ShortKeys = NDArray[np.uint64]


class LiveCampaigns:
    """The running campaigns of one worker; safe to share between threads.

    Asking may raise `StoreUnavailable`.
    """

    def __init__(self, store: CampaignStore) -> None:
        self._store, self._lock = store, Lock()
        self._looked_at: datetime | None = None
        self._running: tuple[tuple[str, datetime], ...] = ()
        self._members: ShortKeys = np.zeros(0, np.uint64)

    def promises(self, customer_ids: Sequence[str], now: datetime) -> Mapping[str, Promise]:
        """What was promised some customers; whoever is in no running campaign is left out."""
        members = self._members_at(now)
        if not len(members):
            return {}
        keys = _short([key_of_id(one) for one in customer_ids])
        place = np.minimum(np.searchsorted(members, keys), len(members) - 1)
        maybe = [one for one, is_in in zip(customer_ids, members[place] == keys, strict=True) if is_in]
        if not maybe:
            return {}
        return {one: promise(*found) for one, found in self._store.active_of(maybe, now=now).items()}

    def _members_at(self, now: datetime) -> ShortKeys:
        """Short keys of all members of running campaigns, in order."""
        if self._looked_at is None or abs(now - self._looked_at) >= EVERY:
            with self._lock:
                launches = self._store.running(now=now)
                running = tuple((one.name, one.begun_at) for one in launches)
                if running != self._running:
                    keys = [_short(self._store.keys_of(one.name)) for one in launches]
                    self._members = np.unique(np.concatenate([*keys, np.zeros(0, np.uint64)]))
                    self._running = running
                self._looked_at = now
        return self._members


def promise(launch: Launch, member: Member) -> Promise:
    """What a campaign promised one of its members."""
    return Promise(
        campaign_id=launch.name,
        arm=member.arm,
        made_on=day_of(launch.launched_at or launch.begun_at),
        slate_id=member.slate_id,
        offer=member.details.get("offer"),
        items=tuple(
            Recommendation(
                item_id=one["item_id"],
                rank=rank,
                score=one["score"],
                reasons=tuple(Reason(**reason) for reason in one["reasons"]),
            )
            for rank, one in enumerate(member.details.get("products", ()), 1)
        ),
    )


def _short(keys: Iterable[bytes]) -> ShortKeys:
    return np.frombuffer(b"".join(key[:SHORT] for key in keys), ">u8").astype(np.uint64)
