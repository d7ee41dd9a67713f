"""What a search says when it ends: which settings did best, what mattered, what to write into the config."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from recsvc.serving.customer_state import moment_of
from training.tune import SEARCHED, Search, Settings

SHOWN = 8


def print_search(console: Console, search: Search) -> None:
    """Best trials beside the config's own settings, importance, and the lines to copy."""
    days = " and ".join(f"{moment_of(day):%Y-%m-%d}" for day in search.days)
    table = Table("trial", "NDCG@10", *SEARCHED, title=f"Mean NDCG@10 of the ranking at {days}")
    shown = [*search.trials[:SHOWN], *([] if search.current in search.trials[:SHOWN] else [search.current])]
    for trial in shown:
        name = f"{trial.number}{' (as configured)' if trial == search.current else ''}"
        table.add_row(name, f"{trial.ndcg:.4f}", *(f"{trial.settings[key]:.4g}" for key in SEARCHED))
    if search.importance:
        table.add_row("importance", "", *(f"{search.importance.get(key, 0.0):.0%}" for key in SEARCHED))
    console.print(table)
    console.print(f"{len(search.trials)} trials finished, {search.given_up} given up after a bad first day.")
    best = search.trials[0]
    if best == search.current:
        console.print("Nothing did better than the settings of the config.")
        return
    gain = best.ndcg - search.current.ndcg
    console.print(f"The best is {gain:+.4f} above the config's own, on the days it was chosen by. To use it:")
    console.print(as_toml(best.settings), markup=False)


def as_toml(settings: Settings) -> str:
    """Settings as lines of a training config.

    Examples
    --------
    >>> print(as_toml({"als.factors": 64.0, "als.alpha": 0.51234, "ranking.recent_days": 28.0}))
    [als]
    factors = 64
    alpha = 0.512
    [ranking]
    recent_days = 28
    """
    lines: list[str] = []
    for name, value in settings.items():
        section, key = name.split(".")
        if f"[{section}]" not in lines:
            lines.append(f"[{section}]")
        lines.append(f"{key} = {value:.3g}")
    return "\n".join(lines)
