"""What a run says to the person who started it: tables, not logs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from training.backtest import BASELINES, METHODS, NEW_HIT, PROPOSED, Row
from training.cleaning import CleaningReport
from training.drift_history import Drift
from training.pipeline import Outcome
from training.report_reasons import print_reasons
from training.report_targeting import print_targeting
from training.sheets import Sheet, terminal_table
from training.source_recall import SPLITS
from training.split import GROUPS
from training.validate import Finding

TITLES = {
    "all": "all regular customers who returned",
    "lapsed": "lapsed",
    "lapsed_high_value": "lapsed & high value",
    "bought_once": "one-time buyers",
}
COLUMNS = (("all", "ndcg@10"), ("all", "recall@10"), ("all", "hit@10"), ("explore", "ndcg@10"), ("all", NEW_HIT))
HEADINGS = ("NDCG@10", "recall@10", "hit@10", "NDCG@10 new items", "hit@10 new items")
MINOR_UNITS = 100
Cells = dict[tuple[str, str, str, str], Row]  # by group, method, split, metric


def print_outcome(console: Console, outcome: Outcome) -> None:
    """Data report, back-test, what moved, verdict."""
    print_findings(console, outcome.findings)
    print_data(console, outcome.data)
    print_backtest(console, outcome.rows, len(outcome.cut_offs))
    print_targeting(console, outcome.targeting)
    print_reasons(console, outcome.churn_reasons)
    print_drift(console, outcome.drift)
    manifest = outcome.manifest
    shapes = manifest.shapes
    console.print(
        f"{shapes.customers:,} customers, {shapes.catalogue:,} products to recommend, as of {manifest.as_of:%Y-%m-%d}"
    )
    for reason in manifest.verdict.reasons:
        console.print(f"gate: {reason}", markup=False)
    state = "live" if outcome.published else "kept, not live"
    console.print(f"bundle {manifest.bundle_id}: {state}")


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    """What is wrong with the data, and the fix."""
    if not findings:
        return
    table = Table("", "where", "what", "fix", title="What is wrong with the data")
    for finding in findings:
        table.add_row(finding.severity, *map(escape, (finding.where, finding.sentence, finding.fix)))
    console.print(table)


def print_data(console: Console, report: CleaningReport) -> None:
    """What was read, and what became of it, by rule."""
    console.print(terminal_table(data_sheet(report)))


def print_drift(console: Console, drift: Drift) -> None:
    """What moved since the last training, one sentence a line."""
    for sentence in drift.sentences():
        console.print(f"{sentence}.", markup=False)


def print_backtest(console: Console, rows: Sequence[Row], n_cut_offs: int) -> None:
    """One table a group of customers, methods down, metrics across, with 95 % intervals."""
    if not rows:
        console.print("No back-test: there is less than two horizons of history before the end of observation.")
        return
    found = cells_of(rows)
    console.print(f"Back-test over {n_cut_offs} cut-offs, full catalogue; mean and 95 % interval over customers.")
    for group in tested_groups(found):
        console.print(terminal_table(group_sheet(group, found)))
        console.print(differences(group, found))
    console.print(terminal_table(source_sheet(found)))


def data_sheet(report: CleaningReport) -> Sheet:
    """Rows and money by rule; rules that touched nothing are left out."""
    counts = [count for count in (*report.dropped, *report.notes) if count.rows]
    return Sheet(
        f"Data: {report.rows_read:,} rows read, {report.rows_kept:,} kept",
        ("rule", "rows", "money", "meaning"),
        tuple((one.rule, f"{one.rows:,}", f"{one.amount / MINOR_UNITS:,.2f}", one.meaning) for one in counts),
        words=(0, 3),
    )


def cells_of(rows: Sequence[Row]) -> Cells:
    """Rows of the back-test by what they are of."""
    return {(row.group, row.method, row.split, row.metric): row for row in rows}


def tested_groups(found: Cells) -> Iterator[str]:
    """Groups with somebody in them."""
    yield from (group for group in GROUPS if (group, "ranking", "all", "ndcg@10") in found)


def group_sheet(group: str, found: Cells) -> Sheet:
    """Methods down, metrics across, of one group."""
    n = found[group, "ranking", "all", "ndcg@10"].n
    rows = [
        (
            method.replace("_", " "),
            *(_shown(found.get((group, method, split, metric))) for split, metric in COLUMNS),
        )
        for method in METHODS
    ]
    return Sheet(f"{TITLES[group]} (n = {n:,})", ("method", *HEADINGS), tuple(rows))


def source_sheet(found: Cells) -> Sheet:
    """Sources down, splits across: how much of what customers bought was among what a source proposed."""
    sources = dict.fromkeys(method for _, method, _, metric in found if metric == PROPOSED)
    rows = [
        (source.replace("_", " "), *(_shown(found.get(("all", source, split, PROPOSED))) for split in SPLITS))
        for source in sources
    ]
    title = f"Share of the items bought that each source proposed: {TITLES['all']}"
    return Sheet(title, ("source", "all", "bought before", "new items"), tuple(rows))


def differences(group: str, found: Cells) -> str:
    """Paired differences of the ranking and each baseline, in words."""
    parts = []
    for other in BASELINES:
        row = found.get((group, f"ranking - {other}", "all", "ndcg@10"))
        if row is not None:
            estimate = row.estimate
            other_name = other.replace("_", " ")
            parts.append(f"{other_name} {estimate.mean:+.4f} ({estimate.low:+.4f} to {estimate.high:+.4f})")
    return "ranking minus, NDCG@10: " + "; ".join(parts)


def _shown(row: Row | None) -> str:
    if row is None:
        return ""
    estimate = row.estimate
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
