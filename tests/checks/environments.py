"""Fresh virtual environments, so that a check sees what a user's machine would see and nothing of this one."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = ROOT / "constraints.txt"
OWN_NAME = "recsvc"


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment in a folder of its own."""

    folder: Path

    def program(self, name: str) -> str:
        """Path of an installed program."""
        return str(self.folder / "bin" / name)

    def pip_install(self, *arguments: str) -> None:
        """Run `pip install` in this environment."""
        run([self.program("python"), "-m", "pip", "install", "--quiet", *arguments])

    def installed(self) -> dict[str, str]:
        """Version of every installed distribution by canonical name, this project left out."""
        listing = run([self.program("python"), "-m", "pip", "list", "--format=freeze"], capture=True)
        pairs = [line.split("==") for line in listing.splitlines() if "==" in line]
        return {canonicalize_name(name): version for name, version in pairs if name != OWN_NAME}


def create_environment(folder: Path, build_tools: Path = CONSTRAINTS) -> Environment:
    """Make a fresh environment with pip and setuptools at the constrained versions; replaces what was there."""
    venv.create(folder, clear=True, with_pip=True)
    environment = Environment(folder)
    environment.pip_install("--constraint", str(build_tools), "--upgrade", "pip", "setuptools")
    return environment


def run(command: list[str], *, capture: bool = False) -> str:
    """Run a program from the project's folder; return what it printed when `capture`, else let it through.

    Raises
    ------
    RuntimeError
        If it ends with anything but 0; with the end of what it said, when captured.
    """
    pipe = subprocess.PIPE if capture else None
    done = subprocess.run(command, cwd=ROOT, check=False, text=True, stdout=pipe, stderr=pipe)
    if done.returncode:
        said = (done.stderr or "")[-2_000:]
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}\n{said}")
    return done.stdout or ""


def build_wheel(folder: Path) -> Path:
    """Build the wheel from the source distribution, so that no stale `build/` folder can leak into it."""
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)], capture=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def read_project() -> dict[str, list[Requirement]]:
    """Direct requirements of the project: key "" for the base, the extra's name for each extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return {
        extra: [Requirement(line) for line in lines if Requirement(line).name != OWN_NAME]
        for extra, lines in groups.items()
    }


def read_pins(path: Path = CONSTRAINTS) -> dict[str, str]:
    """Version of every pinned distribution by canonical name, from plain `name==version` lines."""
    pairs = [line.split("==") for line in path.read_text(encoding="utf-8").split()]
    return {canonicalize_name(name): version for name, version in pairs}
