"""Make `implicit` importable where the system has no OpenMP library.

    .venv/bin/python -m tests.checks.openmp FOLDER

Its wheel links the system's `libgomp.so.1`, which a minimal machine lacks; the wheel of faiss-cpu brings the same
library along under another name. A link in FOLDER, which the Makefile puts on the loader's path, lends it out.
Nothing is written where the system has the library.
"""

from __future__ import annotations

import ctypes
import sys
from importlib.metadata import files
from pathlib import Path

from rich.console import Console

NAME = "libgomp.so.1"
ADVICE = f"{NAME} is missing and implicit needs it: install it, on Debian with apt-get install libgomp1"


def lend(folder: Path) -> str | None:
    """Put the link into `folder` if it is needed; return what to tell the user, if anything."""
    if _system_has_it():
        return None
    bundled = [entry.locate() for entry in files("faiss-cpu") or [] if entry.name.startswith("libgomp")]
    if not bundled:
        return ADVICE
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / NAME
    link.unlink(missing_ok=True)
    link.symlink_to(str(bundled[0]))
    return f"{NAME} is missing on this machine; the copy of faiss-cpu stands in for it here"


def _system_has_it() -> bool:
    try:
        ctypes.CDLL(NAME)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    message = lend(Path(sys.argv[1]))
    if message:
        Console(stderr=True, soft_wrap=True).print(message)
