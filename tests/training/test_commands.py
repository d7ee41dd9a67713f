"""`recsvc-train`: what it prints, how it ends, and that a fit which fails changes nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from recsvc.bundle.manifest import Verdict
from recsvc.bundle.store import BundleStore
from tests.running import Ended, run
from tests.trained import Trained, files_of, train, write_orders
from training import pipeline, staging
from training.cli import main
from training.config import preset_names

END = date(2024, 7, 1)
CONFIG = """
horizon_days = 400
[orders]
path = "orders.csv"
[als]
factors = 4
iterations = 2
[backtest]
as_of = [2024-01-02]
"""
Command = Callable[..., Ended]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return lambda *arguments: run(capsys, main, *arguments)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop of twelve customers who buy two of five items every fortnight of half a year, and its live bundle."""
    folder = tmp_path_factory.mktemp("shop")
    rows = [
        (f"c{who}", f"i{(who + turn + extra) % 5}", END - timedelta(days=14 * turn + who + 1), 1, f"{who + 1}.50")
        for who in range(12)
        for turn in range(13)
        for extra in (0, 2)
    ]
    write_orders(folder, rows)
    (folder / "shop.toml").write_text(CONFIG)
    train(folder / "shop.toml", folder / "artifacts", as_of=END.isoformat())
    return folder


@pytest.fixture
def config(published: Path, tmp_path: Path) -> Path:
    """Config of a copy of the shop, whose artifacts hold a live bundle."""
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    return tmp_path / "shop.toml"


@pytest.fixture
def fit(command: Command, config: Path) -> Command:
    return lambda *more: command("fit", config, "--artifacts", config.parent / "artifacts", *more)


def state_of(artifacts: Path) -> tuple[dict[str, bytes], list[str]]:
    """Pointer files, and the folders that are there."""
    return files_of(artifacts), sorted(path.name for path in artifacts.iterdir() if path.is_dir())


def test_a_fit_ends_with_the_id_of_the_bundle_that_is_now_live(fit: Command, config: Path) -> None:
    ended = fit("--as-of", "2024-06-01")

    store = BundleStore(config.parent / "artifacts")
    assert ended.code == 0
    assert ended.out == f"{store.current_id()}\n"
    assert f"{store.verify(ended.out.strip()).manifest.as_of:%Y-%m-%d}" == "2024-06-01"
    assert "312 rows read" in ended.err
    assert "live" in ended.err
    assert "Nothing to compare with: the live bundle" in ended.err
    assert f"page: {config.parent / 'artifacts' / 'reports' / ended.out.strip()}.html" in ended.err
    assert (config.parent / "artifacts" / "reports" / f"{ended.out.strip()}.html").is_file()


def test_without_publishing_the_bundle_is_kept_but_not_live(fit: Command, config: Path) -> None:
    store = BundleStore(config.parent / "artifacts")
    live = store.current_id()

    ended = fit("--as-of", "2024-06-01", "--no-publish")

    assert ended.code == 0
    assert store.current_id() == live != ended.out.strip()
    assert store.verify(ended.out.strip())


def refuse(*_: object, forced: bool) -> Verdict:
    return Verdict(passed=False, forced=forced, reasons=("too bad",))


def test_a_refused_bundle_is_kept_not_live_and_the_exit_code_is_one(
    fit: Command, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = BundleStore(config.parent / "artifacts")
    live = store.current_id()
    monkeypatch.setattr(pipeline, "judge", refuse)

    ended = fit("--as-of", "2024-06-01")

    assert (ended.code, ended.out) == (1, "")
    assert "error: not published: too bad" in ended.err
    assert store.current_id() == live
    assert len(store.bundles()) == 2


def test_force_publishes_what_the_gate_refuses_and_the_manifest_says_so(
    fit: Command, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "judge", refuse)

    ended = fit("--as-of", "2024-06-01", "--force")

    store = BundleStore(config.parent / "artifacts")
    assert ended.code == 0
    assert store.current_id() == ended.out.strip()
    assert store.current().manifest.verdict.forced


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--as-of", "2001-01-01"), "no customer bought a product before as_of"),
        (("--orders", "missing.csv"), "missing.csv"),
        (("--as-of", "2024-01-07"), "no product has enough buyers"),
    ],
)
def test_a_fit_that_cannot_be_done_is_one_line_and_changes_nothing(
    fit: Command, config: Path, arguments: tuple[str, ...], says: str
) -> None:
    before = state_of(config.parent / "artifacts")

    ended = fit(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert says in ended.one_line_error()
    assert state_of(config.parent / "artifacts") == before


@pytest.mark.parametrize("line", ["horizn_days = 60", "[als]\nfactor = 3", "horizon_days = 0", "not toml"])
def test_a_wrong_config_is_one_line_that_names_the_key(command: Command, tmp_path: Path, line: str) -> None:
    (tmp_path / "shop.toml").write_text(line)

    ended = command("fit", tmp_path / "shop.toml", "--artifacts", tmp_path / "artifacts")

    assert ended.code == 2
    assert line.split("\n")[-1].split(" ")[0] in ended.one_line_error() or "shop.toml" in ended.err
    assert not (tmp_path / "artifacts" / "CURRENT").exists()


@pytest.mark.parametrize("step", ["write_taste", "fit_item_factors", "fit_lapse"])
def test_a_fit_that_breaks_midway_leaves_the_live_bundle_and_no_rubbish(
    fit: Command, config: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = state_of(config.parent / "artifacts")

    def breaks(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(staging, step, breaks)
    with pytest.raises(MemoryError):
        fit("--as-of", "2024-06-01")

    assert state_of(config.parent / "artifacts") == before


def test_the_level_of_what_is_recommended_can_be_named_on_the_command_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("customer_id,item_id,ordered_at,quantity,unit_price\nc,i,2024-01-01,1,2\n")
    (tmp_path / "items.csv").write_text("item_id,title\ni,A thing\n")
    (tmp_path / "shop.toml").write_text('[orders]\npath = "orders.csv"\n[items]\npath = "items.csv"\n')

    ended = command("backtest", tmp_path / "shop.toml", "--as-of", "2024-06-01", "--item-level", "kind")

    assert ended.code == 2
    assert "'kind'" in ended.one_line_error()


def test_presets_are_listed_by_name(command: Command) -> None:
    ended = command("presets")

    assert ended.out.split() == list(preset_names())
    assert {"complete_journey", "online_retail"} <= set(ended.out.split())


def test_a_back_test_prints_and_writes_the_table_with_every_baseline(
    command: Command, trained: Trained, tmp_path: Path
) -> None:
    ended = command("backtest", trained.config_file, "--as-of", "2025-11-01", "--json", tmp_path / "table.json")

    written = json.loads((tmp_path / "table.json").read_text())
    rows, sources = written["ranking"], written["sources"]
    assert ended.code == 0
    assert {"recent_popular", "als_alone", "p_topfreq", "ranking", "slate"} <= {row["method"] for row in rows}
    estimates = [row["estimate"] for row in rows]
    assert all(one["low"] - 1e-9 <= one["mean"] <= one["high"] + 1e-9 for one in estimates)
    assert "P-TopFreq" in ended.out or "p topfreq" in ended.out
    assert len(trained.outcome.rows) == len(rows) + len(sources)
    assert {"own_history", "every_source"} <= {row["method"] for row in sources} - {row["method"] for row in rows}
    assert "own history" in ended.out


def test_a_back_test_without_a_day_asks_for_one(command: Command, tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text('[orders]\npath = "orders.csv"\n')

    ended = command("backtest", tmp_path / "shop.toml")

    assert ended.code == 2
    assert "--as-of" in ended.err
