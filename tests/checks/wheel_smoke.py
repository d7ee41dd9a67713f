"""Install the wheel without extras into a fresh environment, and let it serve a bundle trained here.

    .venv/bin/python -m tests.checks.wheel_smoke

Nothing the trainer needs may come along, every module of the service must import without it, the trainer's program
must say what is missing, and the service must answer.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from tests.checks.environments import CONSTRAINTS, Environment, build_wheel, create_environment, run
from tests.live_service import LiveService, live_service

UNWANTED = ("implicit", "ibis", "duckdb", "optuna", "pyspark", "pytest")
OUT = Console(highlight=False, soft_wrap=True)

PROBE = """
import importlib, importlib.util, pkgutil, sys, recsvc
found = [name for name in {unwanted!r} if importlib.util.find_spec(name)]
assert not found, f"the service pulled in {{found}}"
names = [m.name for m in pkgutil.walk_packages(recsvc.__path__, "recsvc.")]
[importlib.import_module(n) for n in names if n not in ("recsvc.__main__", "recsvc.wsgi", "recsvc.gunicorn_conf")]
assert not any(name.partition(".")[0] == "training" for name in sys.modules), "the service imports the trainer"
assert "site-packages" in recsvc.__file__, recsvc.__file__
"""


def main() -> None:
    """Run every step; the first that fails ends with its message."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="recsvc-smoke-") as name:
        folder = Path(name)
        service = install(folder)
        check_contents(service)
        check_trainer_is_inert(service)
        artifacts = train(folder)
        with live_service([service.program("recsvc")], artifacts) as live:
            check_answers(live)
    OUT.print(f"service-only wheel: installs, pulls no trainer, serves a bundle ({time.monotonic() - started:.0f} s)")


def install(folder: Path) -> Environment:
    """Install the wheel without extras into an environment of its own."""
    wheel = build_wheel(folder / "wheel")
    environment = create_environment(folder / "environment")
    environment.pip_install("--constraint", str(CONSTRAINTS), str(wheel))
    return environment


def check_contents(service: Environment) -> None:
    """Nothing of the trainer's needs is there, and no module of the service misses it."""
    run([service.program("python"), "-I", "-c", PROBE.format(unwanted=UNWANTED)])


def check_trainer_is_inert(service: Environment) -> None:
    """`recsvc-train` ends with 2 and prints the pip command that mends it."""
    command = [service.program("recsvc-train"), "presets"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 2, f"recsvc-train without its extra ended with {done.returncode}: {said}"
    assert "pip install" in said, said
    assert "recsvc[train]" in said, said


def train(folder: Path) -> Path:
    """Train a small bundle with this environment's trainer; return the artifacts folder."""
    trainer = str(Path(sys.executable).with_name("recsvc-train"))
    shop, artifacts = folder / "shop", folder / "artifacts"
    size = ["--customers", "1000", "--items", "300", "--lines", "60000", "--seed", "7"]
    run([trainer, "synth", *size, "--out", str(shop)], capture=True)
    run([trainer, "fit", str(shop / "config.toml"), "--artifacts", str(artifacts), "--force"], capture=True)
    return artifacts


def check_answers(live: LiveService) -> None:
    """The service ranks customers, recommends with reasons, and describes itself."""
    assert live.get("/health/live")["status"] == "alive"
    first = live.get("/v1/win-back", limit=1)["customers"][0]["customer_id"]
    slate = live.get(f"/v1/customers/{first}/recommendations", k=5)
    assert slate["strategy"] == "personal", slate
    assert len(slate["items"]) == 5, slate
    assert all(item["reasons"] for item in slate["items"]), slate
    assert live.get("/v1/recommendations", customer_id="nobody we know")["strategy"] == "popular"
    assert live.get("/openapi.json")["openapi"].startswith("3.1")


if __name__ == "__main__":
    main()
