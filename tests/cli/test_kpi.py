from __future__ import annotations

import json

import pytest

from recsvc.cli.main import main
from tests.running import run
from tests.trained import Trained


def test_the_figures_of_a_window_stand_beside_those_of_the_one_before(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = run(capsys, main, "kpi", "--days", 60, "--json", "--artifacts", trained.artifacts)
    earlier = run(
        capsys, main, "kpi", "--days", 60, "--until", "2025-11-01", "--json", "--artifacts", trained.artifacts
    )
    shown = run(capsys, main, "kpi", "--artifacts", trained.artifacts)

    found = json.loads(whole.out)
    assert found["until"] == "2025-12-31"
    assert found["before"] == json.loads(earlier.out)["now"]
    assert 0 < found["now"]["win_back_rate"] < found["now"]["retention"] < 1
    assert found["now"]["lift_over_global_holdout"]["low"] < 0 < found["now"]["lift_over_global_holdout"]["high"]
    assert sum(one["customers"] for one in found["by_layer"].values()) == found["now"]["customers"]
    assert "win-back rate" in shown.out
    assert "By layer when the window began" in shown.out
