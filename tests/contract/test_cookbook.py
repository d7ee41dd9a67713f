"""What the README tells callers to write works as it stands, against a real service."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import jinja2
import pytest

from recsvc.serving.recommender import Recommender
from recsvc.store.engine import open_store
from recsvc.store.keys import KeyStore
from tests.checks.readme_tables import README
from tests.live_service import live_service
from tests.trained import Trained

RECSVC = ["env", "RECSVC_MAX_BUNDLE_AGE_DAYS=36500", sys.executable, "-c", "from recsvc.cli.main import main; main()"]
BLOCK = re.compile(r"<!-- cookbook(?:: (\w+))? -->\n```(\w+)\n(.*?)```", re.DOTALL)
BLOCKS = {(name or language): text for name, language, text in BLOCK.findall(README.read_text(encoding="utf-8"))}


@pytest.fixture(scope="module")
def environment(
    trained: Trained, recommender: Recommender, everybody: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """What the lines need to run: where the service is, keys, a customer and an item."""
    artifacts = tmp_path_factory.mktemp("cookbook") / "artifacts"
    shutil.copytree(trained.artifacts, artifacts)
    engine = open_store(f"sqlite:///{artifacts / 'live.sqlite'}")
    keys, now = KeyStore(engine), datetime.now(UTC)
    key, admin = (keys.create("cook", scopes, created_at=now)[0] for scopes in (["read", "ingest"], ["admin"]))
    engine.dispose()
    with live_service(RECSVC, artifacts) as service:
        named = {"URL": service.url, "KEY": key, "ADMIN": admin, "CUSTOMER": everybody[0]}
        yield {**os.environ, **named, "ITEM": recommender.bundle.items.ids.id(0)}


def test_every_block_is_found() -> None:
    assert set(BLOCKS) == {"sh", "python", "storefront", "mail"}


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_every_line_of_curl_is_answered(environment: dict[str, str]) -> None:
    script = "set -eu\n" + BLOCKS["sh"].replace("\ncurl", "\necho; curl")

    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    replies = [json.loads(line) for line in done.stdout.splitlines() if line]
    assert len(replies) == BLOCKS["sh"].count("curl -sf")
    assert replies[4] == {"accepted": 1, "duplicate": 0, "rejected": []}


def test_the_client_is_used_as_shown(environment: dict[str, str]) -> None:
    program = [sys.executable, "-c", BLOCKS["python"]]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert 0 < len(done.stdout.splitlines()) <= 5


def test_the_storefront_shows_what_there_is_and_nothing_when_the_service_is_away(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("URL", "KEY"):
        monkeypatch.setenv(name, environment[name])
    shop: dict[str, object] = {"__name__": "shop"}
    exec(compile(BLOCKS["storefront"], "shop.py", "exec"), shop)
    browser = shop["app"].test_client()  # type: ignore[attr-defined]

    shown = browser.get("/for-you").json
    monkeypatch.setenv("URL", "http://127.0.0.1:9")
    away = browser.get("/for-you").json

    assert len(shown) == 8
    assert all(one["title"] and one["why"] for one in shown)
    assert away == []


def test_the_mail_is_written_from_a_row_of_an_export() -> None:
    row = {"product_1_title": "Oat milk", "product_1_url": "https://shop.example/1", "product_1_reason": "bought often"}
    row |= {"code": "AB2", "offer_text": "10 % off", "valid_until": "2026-03-31"}

    mail = jinja2.Environment(autoescape=True).from_string(BLOCKS["mail"]).render(row)

    assert '<a href="https://shop.example/1">Oat milk</a>, bought often' in mail
    assert "10 % off until 2026-03-31 with code <b>AB2</b>." in mail
    assert mail.count("<li>") == 1
