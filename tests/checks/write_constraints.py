"""Write constraints.txt: every version a fresh install with all extras resolves to today.

    .venv/bin/python -m tests.checks.write_constraints

Plain `name==version` lines, so that the file works with any package index and any installer.
"""

from __future__ import annotations

import tempfile
import venv
from pathlib import Path

from tests.checks.environments import CONSTRAINTS, ROOT, Environment, read_project


def main() -> None:
    """Install everything into a fresh environment and write down what came."""
    extras = ",".join(sorted(extra for extra in read_project() if extra))
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        environment = Environment(Path(folder))
        environment.pip_install("--upgrade", "pip", "setuptools")
        environment.pip_install("--no-build-isolation", f"{ROOT}[{extras}]")
        pins = environment.installed()
    CONSTRAINTS.write_text("".join(f"{name}=={pins[name]}\n" for name in sorted(pins)), encoding="utf-8")


if __name__ == "__main__":
    main()
