from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.checks.environments import ROOT, read_pins, read_project
from tests.checks.lowest_versions import lower_bound, lowest_pins

DIRECT = [requirement for group in read_project().values() for requirement in group]
TARGETS = ("demo", "test", "check", "bench", "evidence", "soak")
SERVICE_MUST_NOT_NEED = {"implicit", "ibis-framework", "duckdb", "optuna", "pyspark", "pytest"}


def test_constraints_are_plain_pins_in_order() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()

    assert all(re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.!+]+", line) for line in lines)
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0])
    assert len(lines) == len(read_pins())


@pytest.mark.parametrize("requirement", DIRECT, ids=str)
def test_every_direct_dependency_is_pinned_within_its_bounds(requirement: Requirement) -> None:
    pin = read_pins()[canonicalize_name(requirement.name)]

    assert requirement.specifier.contains(pin)


@pytest.mark.parametrize("requirement", DIRECT, ids=str)
def test_every_direct_dependency_has_a_lower_bound_that_the_lowest_run_installs(requirement: Requirement) -> None:
    assert lowest_pins()[canonicalize_name(requirement.name)] == lower_bound(requirement)


def test_the_service_needs_nothing_of_the_trainer() -> None:
    names = {canonicalize_name(requirement.name) for requirement in read_project()[""]}

    assert not names & SERVICE_MUST_NOT_NEED


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_sets_itself_up(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert re.search(rf"^{target}: \$\(READY\)$", makefile, re.MULTILINE)


def test_the_licence_is_the_whole_of_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")

    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_image_holds_only_the_service_and_runs_it_without_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    final_stage = dockerfile.rpartition("\nFROM ")[2]

    assert re.search(r"^USER [1-9]\d*$", final_stage, re.MULTILINE)
    assert "HEALTHCHECK" in final_stage
    assert "[train]" not in dockerfile
