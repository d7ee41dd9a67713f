from __future__ import annotations

import pytest

from tests.checks.dependency_audit import report

CLEAN = {"name": "click", "version": "8.1.8", "vulns": []}
BAD = {"name": "old", "version": "1.0", "vulns": [{"id": "CVE-0", "fix_versions": ["1.1"]}]}
UNASKED = {"name": "click", "skip_reason": "could not be audited"}


@pytest.mark.parametrize("rows", [[], [UNASKED, UNASKED]])
def test_nobody_to_ask_is_said_and_passes(rows: list[dict[str, object]], capsys: pytest.CaptureFixture[str]) -> None:
    assert report(rows) == 0
    assert "SKIPPED" in capsys.readouterr().out


def test_a_vulnerable_version_fails_and_names_the_fix(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([CLEAN, BAD]) == 1
    assert "old 1.0: CVE-0 (fixed in 1.1)" in capsys.readouterr().out


def test_what_was_not_checked_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([CLEAN, UNASKED]) == 0
    assert "1 of 2 versions checked" in capsys.readouterr().out
