"""What a search says when it ends: which settings did best, what mattered, what to write into the config."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table

from recsvc.serving.customer_state import moment_of
from training.tune import SEARCHED, Search, Settings

SHOWN = 3


def print_search(console: Console, search: Search) -> None:
    """Best trials beside the config's own settings, what each setting mattered, and the lines to copy."""
    days = " and ".join(f"{moment_of(day):%Y-%m-%d}" for day in search.days)
    shown = [search.current, *(trial for trial in search.trials if trial != search.current)][: SHOWN + 1]
    names = ["config", *(f"trial {trial.number}" for trial in shown[1:])]
    table = Table(Column(no_wrap=True), *names, "matters", title=f"Mean NDCG@10 of the ranking at {days}")
    table.add_row("NDCG@10", *(f"{trial.ndcg:.4f}" for trial in shown), "")
    for key in SEARCHED:
        matters = f"{search.importance[key]:.0%}" if key in search.importance else ""
        table.add_row(key, *(f"{trial.settings[key]:.3g}" for trial in shown), matters)
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
