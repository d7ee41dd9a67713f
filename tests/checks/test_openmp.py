from __future__ import annotations

from pathlib import Path

import pytest

from tests.checks import openmp


def test_nothing_is_written_where_the_system_has_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openmp, "_system_has_it", lambda: True)

    assert openmp.lend(tmp_path / "openmp") is None
    assert not (tmp_path / "openmp").exists()


def test_a_missing_library_is_lent_under_the_name_that_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openmp, "_system_has_it", lambda: False)

    message = openmp.lend(tmp_path / "openmp")

    assert message
    assert (tmp_path / "openmp" / "libgomp.so.1").resolve(strict=True).name.startswith("libgomp")


def test_with_nothing_to_lend_the_package_to_install_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openmp, "_system_has_it", lambda: False)
    monkeypatch.setattr(openmp, "files", lambda _: [])

    assert "apt-get install libgomp1" in (openmp.lend(tmp_path / "openmp") or "")
