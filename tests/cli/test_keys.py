from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from recsvc.cli.keys import keys
from recsvc.store.keys import UnknownKey


@pytest.fixture
def artifacts(tmp_path: Path) -> list[str]:
    return ["--artifacts", str(tmp_path)]


def _json(*arguments: str) -> object:
    return json.loads(CliRunner().invoke(keys, [*arguments, "--json"], catch_exceptions=False).stdout)


def test_a_key_is_made_shown_once_listed_and_revoked(artifacts: list[str]) -> None:
    made = _json("create", "--name", "shop", "--scope", "read", "--scope", "ingest", *artifacts)
    CliRunner().invoke(keys, ["revoke", made["key_id"], *artifacts], catch_exceptions=False)  # type: ignore[index]

    (listed,) = _json("list", *artifacts)  # type: ignore[misc]

    assert made["key"].startswith("rsk_")  # type: ignore[index]
    assert "key" not in listed
    assert (listed["name"], listed["scopes"]) == ("shop", ["ingest", "read"])
    assert listed["revoked_at"] is not None


def test_only_the_key_goes_to_standard_output_for_scripts_to_take(artifacts: list[str]) -> None:
    result = CliRunner().invoke(keys, ["create", "--name", "shop", "--scope", "read", *artifacts])

    assert len(result.stdout.splitlines()) == 1
    assert result.stdout.startswith("rsk_")
    assert "cannot be shown again" in result.stderr


def test_the_list_for_people_has_a_line_for_each_key(artifacts: list[str]) -> None:
    CliRunner().invoke(keys, ["create", "--name", "shop", "--scope", "read", *artifacts])

    result = CliRunner().invoke(keys, ["list", *artifacts])

    assert "works" in result.stdout
    assert result.stdout.strip().endswith("shop")


def test_revoking_a_key_there_is_not_is_the_users_mistake(artifacts: list[str]) -> None:
    result = CliRunner().invoke(keys, ["revoke", "nothing", *artifacts])

    assert isinstance(result.exception, UnknownKey)


@pytest.mark.parametrize("command", ["create", "list", "revoke"])
def test_every_command_shows_an_example(command: str) -> None:
    assert "Example: recsvc keys" in CliRunner().invoke(keys, [command, "--help"]).stdout
