from __future__ import annotations

import csv
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from recsvc.cli.main import main
from recsvc.store.engine import open_store
from recsvc.store.events import Event, EventStore
from tests.running import run
from tests.trained import Trained

CAMPAIGN = """
name = "spring"
starts_on = 2026-01-05
budget = 400
holdout = 0.2
audience = "win_back_rank <= 100"

[[offers]]
name = "reminder"
lift = 0.03

[[offers]]
name = "ten"
lift = 0.08
discount = 0.1
coupons = "spring10"

[channels]
email = 0.02

[contact]
consent_when_unknown = true
"""


@pytest.fixture
def artifacts(trained: Trained, tmp_path: Path) -> Path:
    shutil.copytree(trained.artifacts, tmp_path / "artifacts")
    return tmp_path / "artifacts"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "spring.toml"
    today = datetime.now(UTC).date().isoformat()  # so that codes are good today
    path.write_text(CAMPAIGN.replace("2026-01-05", today), encoding="utf-8")
    return path


def test_a_campaign_from_plan_to_report(
    artifacts: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(*words: object) -> str:
        ended = run(capsys, main, *words, "--artifacts", artifacts)
        assert ended.code == 0, ended.err
        return ended.out

    planned = json.loads(ask("campaign", "plan", file, "--json"))
    assert "Smallest lift" in ask("campaign", "plan", file)
    assert "no campaign was launched" in ask("campaign", "show")
    ask("coupons", "generate", "spring10", "--count", 200)
    launched = json.loads(ask("campaign", "launch", file, "--json"))
    assert launched == {"name": "spring", **planned}
    assert "spring" in ask("campaign", "show")
    ask("campaign", "export", "spring", "--out", tmp_path / "spring.parquet")
    rows = pq.read_table(tmp_path / "spring.parquet").to_pylist()
    assert len(rows) == planned["contacted"]
    codes = [row["code"] for row in rows if row["code"]]
    (pool,) = json.loads(ask("coupons", "list", "--json"))
    assert pool == {"pool": "spring10", "codes": 200, "left": 200 - len(codes)}

    buy(artifacts, [row for row in rows if row["code"]][:12])
    report = json.loads(ask("campaign", "report", "spring", "--json"))
    assert report["contacted"]["customers"] == planned["contacted"]
    assert (report["contacted"]["returned"], report["held_out"]["returned"], report["redeemed"]) == (12, 0, 12)
    assert report["lift"]["low"] < report["lift"]["value"] == report["contacted"]["share"]
    assert "Customers won" in ask("campaign", "report", "spring")
    for ending in ("html", "csv", "json"):
        ask("campaign", "report", "spring", "--out", tmp_path / f"report.{ending}")
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == report
    with (tmp_path / "report.csv").open(encoding="utf-8", newline="") as written:
        first, *_ = csv.DictReader(written)
    assert (first["contacted_returned"], first["held_out_returned"]) == ("12", "0")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert report["verdict"] in page
    assert "<script" not in page
    fax = run(
        capsys,
        main,
        *("campaign", "export", "spring", "--channel", "fax", "--out", tmp_path / "x.csv"),
        *("--artifacts", artifacts),
    )
    assert (fax.code, fax.err) == (2, "error: channel: spring has no fax; it has email\n")
    again = ask("campaign", "export", "spring", "--out", tmp_path / "spring.csv")
    assert again.startswith(f"wrote {planned['contacted'] - 12} messages")

    ask("campaign", "close", "spring")
    ended = run(capsys, main, "campaign", "export", "spring", "--out", tmp_path / "x.csv", "--artifacts", artifacts)
    assert (ended.code, "closed" in ended.err) == (2, True)


def buy(artifacts: Path, rows: list[dict[str, str]]) -> None:
    """Let customers buy today with their codes."""
    now = datetime.now(UTC)
    engine = open_store(f"sqlite:///{artifacts / 'live.sqlite'}")
    events = [
        Event(
            row["code"],
            row["customer_id"],
            "purchase",
            now,
            row["product_1_item_id"],
            {"price": 30.0, "coupon": row["code"]},
        )
        for row in rows
    ]
    EventStore(engine).add(events, received_at=now)
    engine.dispose()


def test_what_is_wrong_with_a_campaign_is_said_in_one_line(
    artifacts: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(CAMPAIGN.replace("budget", "buget"), encoding="utf-8")
    misspelt = run(capsys, main, "campaign", "plan", file, "--artifacts", artifacts)
    file.write_text(CAMPAIGN.replace("win_back_rank <=", "rank <="), encoding="utf-8")
    no_column = run(capsys, main, "campaign", "plan", file, "--artifacts", artifacts)
    file.write_text(CAMPAIGN, encoding="utf-8")
    no_codes = run(capsys, main, "campaign", "launch", file, "--artifacts", artifacts)
    unknown = run(capsys, main, "campaign", "report", "autumn", "--artifacts", artifacts)
    file.write_text(CAMPAIGN.replace("win_back_rank <=", "win_back_rank > 9999 AND clv <="), encoding="utf-8")
    nobody = run(capsys, main, "campaign", "launch", file, "--artifacts", artifacts)

    for ended, said in (
        (misspelt, "buget"),
        (no_column, "a column"),
        (no_codes, "coupon pool spring10 has 0 codes left"),
        (unknown, "no campaign autumn was launched"),
        (nobody, "nobody is to be contacted"),
    ):
        assert (ended.code, ended.out) == (2, "")
        assert said in ended.err
        assert len(ended.err.strip().splitlines()) == 1


def test_codes_are_imported_and_exported(artifacts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes, out = tmp_path / "codes.csv", tmp_path / "out.csv"
    codes.write_text("code\n007\nABC\n007\n", encoding="utf-8")

    added = run(capsys, main, "coupons", "add", "spring", codes, "--artifacts", artifacts)
    run(capsys, main, "coupons", "export", "spring", "--out", out, "--artifacts", artifacts)

    assert added.out == "added 2 codes to spring, 0 were there before\n"
    assert out.read_text("utf-8") == "code\n007\nABC\n"
