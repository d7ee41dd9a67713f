"""Options about what a slate should be like, the same for every command that makes slates."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from recsvc.serving.slate import Query

WISHES = ("k", "exclude_purchased", "explore_slots", "where", "rules", "category_cap")  # fields of a query
Result = TypeVar("Result")
Command = Callable[..., Result]


def with_wishes(max_k: int) -> Callable[[Command[Result]], Command[Result]]:
    """Add the options to a command, which gets what was wished for as `wishes`, a `Query` about nobody yet."""
    options = (
        click.option("--k", default=10, show_default=True, type=click.IntRange(1, max_k), help="Length of a list."),
        click.option("--exclude-purchased", is_flag=True, help="Only products the customer never bought."),
        click.option("--explore-slots", type=click.IntRange(0, max_k), help="Places kept for products never bought."),
        click.option("--where", help="Only products that fulfil a filter, such as 'price < 20'."),
        click.option("--rule", "rules", multiple=True, help="Such as 'boost 2 where brand = \"Oak\"'; repeatable."),
        click.option("--category-cap", type=click.IntRange(1), help="Products of one category at most."),
    )

    def decorate(command: Command[Result]) -> Command[Result]:
        @wraps(command)
        def asked(**given: Any) -> Result:  # whatever click read
            wishes = Query(customer_id="", **{name: given.pop(name) for name in WISHES})
            return command(wishes=wishes, **given)

        for option in reversed(options):
            asked = option(asked)
        return asked

    return decorate
