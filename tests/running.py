"""Running a program in this process: what it printed and the exit code a shell would see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

Program = Callable[[Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str

    def one_line_error(self) -> str:
        """The error, which must be one line and all that was said."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: ")
        return lines[0]


def run(capsys: pytest.CaptureFixture[str], program: Program, *arguments: object) -> Ended:
    capsys.readouterr()
    code = 0
    try:
        program([str(argument) for argument in arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capsys.readouterr()
    return Ended(code, out, err)
