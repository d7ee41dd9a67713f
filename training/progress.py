"""What a long run is doing: a bar on a terminal, silence elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

Done = Callable[[float], None]


class Progress:
    """Shows one bar a step, on standard error."""

    def __init__(self, bar: Bar, prefix: str = "") -> None:
        self._bar, self._prefix = bar, prefix

    @contextmanager
    def step(self, name: str) -> Iterator[Done]:
        """Show a step while the block runs; call what it yields with the share done, in (0, 1]."""
        task = self._bar.add_task(self._prefix + name, total=None)

        def done(share: float) -> None:
            self._bar.update(task, total=1.0, completed=share)

        try:
            yield done
        finally:
            self._bar.remove_task(task)

    def within(self, name: str) -> Progress:
        """Name what the steps to come belong to."""
        return Progress(self._bar, f"{self._prefix}{name}: ")


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Bars on a terminal; nothing when standard error goes elsewhere."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield Progress(bar)


def no_progress() -> Progress:
    """Progress nobody sees."""
    return Progress(Bar(disable=True))
