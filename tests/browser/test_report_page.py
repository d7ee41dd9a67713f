"""The page in a real browser, where there is one: it opens as a file, asks for nothing, and complains of nothing.

The page forbids itself every request but styles of its own; a browser reports each attempt as an error on the console,
so a silent console means that nothing was asked for.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.trained import Trained
from tests.training.page.reading import read
from tests.training.page.test_write import SECTIONS
from training.page.write import write_page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--dump-dom",
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="needs chromium (apt-get install chromium)"),
]


def opened(page: Path, profile: Path) -> tuple[str, list[str]]:
    """What the browser makes of a file, and what it said on the console."""
    command = [str(BROWSER), *QUIET, f"--user-data-dir={profile}", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.fixture(scope="module")
def page(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    artifacts = shutil.copytree(trained.artifacts, tmp_path_factory.mktemp("browser") / "artifacts")
    return write_page(type(trained.store)(artifacts), trained.outcome)


def test_the_page_opens_with_all_sections_and_a_silent_console(page: Path, tmp_path: Path) -> None:
    html, console = opened(page, tmp_path / "profile")

    assert console == []
    assert [one.attributes["id"] for one in read(html).all("section")] == SECTIONS


@pytest.mark.parametrize("smuggled", ["<img src='http://127.0.0.1:1/pixel.png'>", "<script>alert(1)</script>"])
def test_whatever_got_into_the_page_would_be_stopped_and_reported(page: Path, tmp_path: Path, smuggled: str) -> None:
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(page.read_text(encoding="utf-8").replace("</main>", f"{smuggled}</main>"), encoding="utf-8")

    _, console = opened(spoilt, tmp_path / "profile")

    assert len(console) == 1
    assert "Content Security Policy" in console[0]
