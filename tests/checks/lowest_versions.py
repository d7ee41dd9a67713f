"""Run the tests with every direct dependency at the lower bound that pyproject.toml promises.

    .venv/bin/python -m tests.checks.lowest_versions [pytest arguments]

The environment is kept in `.venv-lowest` and made again only when the bounds or the constraints change.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.checks.environments import ROOT, Environment, create_environment, read_pins, read_project

FOLDER = ROOT / ".venv-lowest"
# Not direct dependencies, but held to an older version by the lower bound of one: left for pip to choose.
FOLLOWERS = frozenset({"psycopg-binary", "pydantic-core", "cyclonedx-python-lib", "optype"})


def lower_bound(requirement: Requirement) -> str:
    """Version after `>=`.

    Raises
    ------
    ValueError
        If the requirement has no lower bound.

    Examples
    --------
    >>> lower_bound(Requirement("numpy>=2.2"))
    '2.2'
    """
    for part in requirement.specifier:
        if part.operator == ">=":
            return part.version
    raise ValueError(f"{requirement}: give it a lower bound in pyproject.toml")


def lowest_pins() -> dict[str, str]:
    """Lower bound of every direct dependency; everything else as constraints.txt has it."""
    direct: dict[str, str] = {
        canonicalize_name(requirement.name): lower_bound(requirement)
        for requirements in read_project().values()
        for requirement in requirements
    }
    others: dict[str, str] = {name: version for name, version in read_pins().items() if name not in FOLLOWERS}
    return {**others, **direct}


def prepare(pins: dict[str, str]) -> Environment:
    """Make the environment, or take the one that was made for the same pins."""
    environment, stamp = Environment(FOLDER), FOLDER / "constraints-lowest.txt"
    wanted = "".join(f"{name}=={version}\n" for name, version in sorted(pins.items()))
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return environment
    create_environment(FOLDER)
    draft = _write(FOLDER / "constraints-draft.txt", wanted)
    environment.pip_install("--no-build-isolation", "--constraint", str(draft), "--editable", f"{ROOT}[dev]")
    draft.rename(stamp)
    return environment


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def main() -> None:
    """Run pytest in the lowest environment; its exit code is ours."""
    python = prepare(lowest_pins()).program("python")
    arguments = sys.argv[1:] or ["-q", "-m", "not soak"]
    sys.exit(subprocess.run([python, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
