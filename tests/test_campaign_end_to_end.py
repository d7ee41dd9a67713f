"""The e-mail path: orders, training, plan, launch, export, events back over HTTP, report; the site shows the same."""

from __future__ import annotations

import json
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsvc.cli.main import main
from recsvc.serving.live_campaigns import EVERY
from tests.cli.test_campaign import CAMPAIGN
from tests.live_service import LiveService, live_service
from tests.running import run
from tests.trained import Trained

OLD_IS_FINE = "RECSVC_MAX_BUNDLE_AGE_DAYS=36500"  # the moment our bundle was made is fixed
RECSVC = ["env", OLD_IS_FINE, sys.executable, "-c", "from recsvc.cli.main import main; main()"]
SOON = 4 * EVERY.total_seconds()


def test_what_the_mail_shows_the_site_shows_and_what_comes_back_is_reported(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifacts, file, out = tmp_path / "artifacts", tmp_path / "spring.toml", tmp_path / "spring.jsonl"
    shutil.copytree(trained.artifacts, artifacts)
    starts_on = datetime.now(UTC).date().isoformat()
    file.write_text(CAMPAIGN.replace("2026-01-05", starts_on), encoding="utf-8")

    def ask(*words: object) -> str:
        ended = run(capsys, main, *words, "--artifacts", artifacts)
        assert ended.code == 0, ended.err
        return ended.out

    with live_service(RECSVC, artifacts) as service:
        ask("coupons", "generate", "spring10", "--count", 200)
        ask("campaign", "launch", file)
        ask("campaign", "export", "spring", "--out", out)
        mails = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        some = [mail for mail in mails if mail["code"]][:8]

        shown = [until_it_leads(service, mail["customer_id"]) for mail in some]
        accepted = service.post("/v1/events", {"events": [purchase(mail) for mail in some]})
        after = service.get("/v1/recommendations", customer_id=some[0]["customer_id"])
    report = json.loads(ask("campaign", "report", "spring", "--json"))

    for mail, reply in zip(some, shown, strict=True):
        assert [item["item_id"] for item in reply["items"][:5]] == [mail[f"product_{n}_item_id"] for n in range(1, 6)]
        assert reply["experiment"]["slate_id"] == mail["message_id"]
        assert reply["offer"]["code"] == mail["code"]
    assert accepted["accepted"] == len(some)
    assert after["strategy"] == "personal"  # what was bought a moment ago is news, the mail is not
    assert (report["contacted"]["returned"], report["redeemed"]) == (len(some), len(some))
    assert report["last_touch_customers"] == len(some)


def until_it_leads(service: LiveService, customer_id: str) -> dict[str, dict[str, object]]:
    """Answer of the storefront, once every worker has had time to see the campaign."""
    end = time.monotonic() + SOON
    while True:
        reply = service.get("/v1/recommendations", customer_id=customer_id)
        if reply["strategy"] == "campaign" or time.monotonic() > end:
            return reply  # type: ignore[no-any-return]  # JSON
        time.sleep(0.2)


def purchase(mail: dict[str, str]) -> dict[str, object]:
    """The customer buys the first product of the mail, with its code."""
    return {
        "event_id": mail["message_id"],
        "kind": "purchase",
        "customer_id": mail["customer_id"],
        "item_id": mail["product_1_item_id"],
        "price": 20.0,
        "occurred_at": datetime.now(UTC).isoformat(),
        "campaign_id": mail["campaign_id"],
        "slate_id": mail["message_id"],
        "coupon": mail["code"],
    }
