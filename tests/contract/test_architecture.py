from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.checks.environments import ROOT


def test_modules_import_only_what_their_layer_may() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")

    # in a process of its own: it configures logging, and would disable the loggers of every test after it
    done = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, check=False, text=True, capture_output=True)

    assert done.returncode == 0, done.stdout + done.stderr
