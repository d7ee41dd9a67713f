"""Pushing a campaign's messages to a webhook, a batch at a time: tried again, never twice, and what fails is kept."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import orjson

from recsvc.campaigns.exporting import Gate, plain_row
from recsvc.campaigns.launching import MESSAGES
from recsvc.campaigns.webhook import Answer, signature
from recsvc.store.campaigns import CampaignStore, Launch, Member

AT_ONCE, TRIES = 100, 5
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0
Send = Callable[[bytes, dict[str, str]], Answer]


@dataclass(slots=True)
class Pushed:
    """What became of the messages: taken now, taken by an earlier push, and given up on."""

    taken: int = 0
    before: int = 0
    failed: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Pusher:
    """Sends what a receiver has not taken yet.

    Attributes
    ----------
    send : one POST
    pause : waits so many seconds
    clock : the present moment, UTC
    keep : takes the rows of a batch that was given up on
    """

    store: CampaignStore
    secret: bytes
    send: Send
    pause: Callable[[float], None]
    clock: Callable[[], datetime]
    keep: Callable[[Sequence[dict[str, object]]], None]

    def push(self, launch: Launch, gate: Gate) -> Pushed:
        """Push a campaign; what was taken is remembered batch by batch, so a push cut off goes on from there."""
        result = Pushed()
        for batch in _batches(self._to_send(launch, gate, result)):
            rows = [plain_row(launch, member) for member in batch]
            answer = self._until_taken(launch.name, rows)
            if answer.is_taken:
                self.store.pushed(launch.name, [member.customer_id for member in batch], at=self.clock())
                result.taken += len(batch)
            else:
                self.keep(rows)
                result.failed += len(batch)
                result.said = f"{answer.status or 'no reply'} {answer.said}"
        return result

    def _to_send(self, launch: Launch, gate: Gate, result: Pushed) -> Iterator[Member]:
        for part in self.store.members(launch.name):
            for member in part:
                if member.pushed_at is not None:
                    result.before += 1
                elif gate(member):
                    yield member

    def _until_taken(self, campaign_id: str, rows: Sequence[dict[str, object]]) -> Answer:
        """Send a batch until it is taken, refused for good, or tried often enough."""
        batch_id = str(uuid.uuid5(MESSAGES, " ".join(str(row["message_id"]) for row in rows)))
        body = orjson.dumps({"batch_id": batch_id, "campaign_id": campaign_id, "messages": rows})
        wait = FIRST_WAIT_SECONDS
        for left in reversed(range(TRIES)):
            headers = {
                "Content-Type": "application/json",
                "Idempotency-Key": batch_id,
                "X-Recsvc-Signature": signature(self.secret, int(self.clock().timestamp()), body),
            }
            answer = self.send(body, headers)
            if answer.is_taken or not answer.may_change or not left:
                break
            self.pause(min(wait if answer.wait_seconds is None else answer.wait_seconds, LONGEST_WAIT_SECONDS))
            wait *= 2
        return answer


def _batches(members: Iterable[Member]) -> Iterator[list[Member]]:
    rest = iter(members)
    while some := list(islice(rest, AT_ONCE)):
        yield some
