"""What callers may send of events, and what they get back. One event that is wrong does not stop the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from recsvc.api.outbound import Reply
from recsvc.api.schemas import MAX_ID_LENGTH, Request
from recsvc.store.events import Event, EventKind

MAX_EVENTS = 1_000
MAX_EVENT_ID = 200
MAX_WORD = 200
MAX_TEXT = 10_000
MAX_AMOUNT = 10.0**9
MAX_QUANTITY = 100_000
AHEAD = timedelta(hours=1)  # clocks of two machines differ; a later event would run the ranking clock ahead
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
NO_NUL = r"^[^\x00]*$"  # PostgreSQL cannot keep one

NEEDED: dict[EventKind, tuple[str, ...]] = {
    "purchase": ("item_id", "price"),
    "view": ("item_id",),
    "cart": ("item_id",),
    "impression": ("item_id",),
    "click": (),
    "unsubscribe": ("channel",),
    "feedback": ("topic",),
}
DETAILS = ("quantity", "price", "order_id", "channel", "campaign_id", "slate_id", "coupon", "topic", "score", "text")

StorableId = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH, pattern=NO_NUL)]
EventId = Annotated[str, Field(min_length=1, max_length=MAX_EVENT_ID, pattern=NO_NUL)]
Word = Annotated[str, Field(min_length=1, max_length=MAX_WORD, pattern=NO_NUL)]


def _moment(value: object) -> object:
    """Read a moment here: behind a validator of ours, strict pydantic wants it read already."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    Field(description="ISO 8601 with the offset from UTC; at most an hour ahead."),
]


class EventRequest(Request):
    """Something a customer did. A purchase needs item_id and price, a view or cart item_id, feedback its topic."""

    event_id: Annotated[EventId, Field(description="Yours, unique: the same one twice counts once, the first.")]
    kind: EventKind
    customer_id: StorableId
    occurred_at: Moment
    item_id: StorableId | None = None
    quantity: Annotated[float | None, Field(gt=0, le=MAX_QUANTITY, description="Units; 1 where not given.")] = None
    price: Annotated[float | None, Field(ge=0, le=MAX_AMOUNT, description="Of one unit, discounts taken off.")] = None
    order_id: Annotated[StorableId | None, Field(description="As in your order files.")] = None
    channel: Word | None = None
    campaign_id: Word | None = None
    slate_id: Annotated[Word | None, Field(description="`recommendation_id` of the list it came from.")] = None
    coupon: Annotated[Word | None, Field(description="Code the purchase was made with.")] = None
    topic: Literal["nps", "csat", "complaint", "review", "social", "churn_reason"] | None = None
    score: Annotated[float | None, Field(ge=-MAX_AMOUNT, le=MAX_AMOUNT)] = None
    text: Annotated[str | None, Field(max_length=MAX_TEXT, pattern=NO_NUL)] = None

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        for name in NEEDED[self.kind]:
            if getattr(self, name) is None:
                raise PydanticCustomError("needed", "{kind} needs {name}", {"kind": self.kind, "name": name})
        if self.occurred_at < BEGINNING:
            raise PydanticCustomError("too_early", "occurred_at is before 1970")
        return self

    def event(self) -> Event:
        """As the store keeps it."""
        given = {name: getattr(self, name) for name in DETAILS}
        return Event(
            event_id=self.event_id,
            customer_id=self.customer_id,
            kind=self.kind,
            occurred_at=self.occurred_at,
            item_id=self.item_id,
            details={name: value for name, value in given.items() if value is not None},
        )


class Rejected(Reply):
    """An event that was not kept, by its place in the batch from 0, and why."""

    index: int
    reason: str


class Refused:
    """What is wrong with one element of a batch, in words that do not repeat it."""

    def __init__(self, where: str, problem: str) -> None:
        self.reason = f"{where}: {problem}" if where else problem


def reason_or_valid(value: object, check: ValidatorFunctionWrapHandler) -> object:
    """Let one element of a batch be wrong without stopping the others: it becomes `Refused`."""
    try:
        return check(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return Refused(".".join(map(str, first["loc"])), first["msg"])


OneEvent = Annotated[EventRequest, WrapValidator(reason_or_valid)]


class EventsRequest(Request):
    """Events in the order they should count, at most 1,000."""

    events: Annotated[tuple[OneEvent, ...], Field(min_length=1, max_length=MAX_EVENTS)]

    def sorted_out(self, now: datetime) -> tuple[list[Event], list[Rejected]]:
        """What is to be kept, and what is not."""
        kept, rejected = [], []
        for index, one in enumerate(self.events):
            if isinstance(one, Refused):
                rejected.append(Rejected(index=index, reason=one.reason))
            elif one.occurred_at > now + AHEAD:
                rejected.append(Rejected(index=index, reason="occurred_at: is more than an hour ahead"))
            else:
                kept.append(one.event())
        return kept, rejected

    def all_rejected(self, rejected: Sequence[Rejected], erased: Collection[str]) -> list[Rejected]:
        """What `sorted_out` rejected, and the events of customers who were erased; in the order of the batch."""
        of_erased = {
            index: Rejected(index=index, reason="customer_id: was erased; nothing is kept of them")
            for index, one in enumerate(self.events)
            if not isinstance(one, Refused) and one.customer_id in erased
        }
        found = of_erased | {one.index: one for one in rejected}
        return [found[index] for index in sorted(found)]


class EventsReply(Reply):
    """What became of a batch: `accepted` are kept for good, `duplicate` were there before."""

    accepted: int
    duplicate: int
    rejected: list[Rejected]
