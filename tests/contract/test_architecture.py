from __future__ import annotations

import pytest
from importlinter import cli

from tests.checks.environments import ROOT


def test_modules_import_only_what_their_layer_may(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)

    assert exit_code == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out
