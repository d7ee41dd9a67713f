from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

RECSVC = str(Path(sys.executable).with_name("recsvc"))
TRAINER = str(Path(sys.executable).with_name("recsvc-train"))


@dataclass(frozen=True, slots=True)
class Shop:
    """Synthetic orders, and the command that trains on them as of a day near their end."""

    config: Path

    def fit(self, artifacts: Path, day: int) -> list[str]:
        """Arguments of a fit; another `day` (1 to 30, of December 2025) gives another bundle."""
        return [
            *(TRAINER, "fit", str(self.config), "--as-of", f"2025-12-{day:02d}"),
            *("--artifacts", str(artifacts), "--force"),
        ]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    size = ["--customers", "1500", "--items", "300", "--lines", "90000", "--seed", "7"]
    subprocess.check_output([TRAINER, "synth", *size, "--out", str(folder)])
    return Shop(folder / "config.toml")
