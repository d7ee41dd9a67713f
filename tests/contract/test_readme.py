"""The README says what the code does."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from recsvc.cli.main import cli
from recsvc.domain.blend_features import BLEND_FEATURES
from recsvc.domain.customer_features import FEATURES
from recsvc.domain.detail_features import DETAIL_FEATURES
from tests.checks.readme_tables import README, RECIPE, config_table, feature_table
from training.commands import cli as train_cli
from training.config import TrainingConfig


def commands() -> Iterator[str]:
    for program, group in (("recsvc", cli), ("recsvc-train", train_cli)):
        for command in members(group):
            yield f"{program} {command.name}"
            if isinstance(command, click.Group):
                yield from (one.name or "" for one in members(command))


def members(group: click.Group) -> list[click.Command]:
    context = click.Context(group)
    found = (group.get_command(context, name) for name in group.list_commands(context))
    return [command for command in found if command]


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text(encoding="utf-8")


TABLES = {
    "config": config_table(),
    "features": feature_table(BLEND_FEATURES),
    "tree features": feature_table(DETAIL_FEATURES),
    "customers": feature_table(FEATURES),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_generated_tables_are_up_to_date(readme: str, table: str) -> None:
    assert table in readme, "run: python -m tests.checks.readme_tables"


def test_every_setting_of_the_recipe_is_explained() -> None:
    unexplained = [
        f"{section}.{name}"
        for section in RECIPE
        for name, field in type(getattr(TrainingConfig(), section)).model_fields.items()
        if not field.description
    ]

    assert not unexplained


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_every_command_is_in_the_readme(readme: str, command: str) -> None:
    assert command in readme


@pytest.mark.parametrize("command", [*members(cli), *members(train_cli)], ids=lambda c: c.name)
def test_every_command_has_help_with_an_example(command: click.Command) -> None:
    shown = members(command) if isinstance(command, click.Group) else [command]

    for one in shown:
        assert one.help
        assert (one.epilog or "").startswith("Example: recsvc")
