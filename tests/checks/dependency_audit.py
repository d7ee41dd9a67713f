"""Known vulnerabilities among the constrained versions, where the database can be reached.

    .venv/bin/python -m tests.checks.dependency_audit

Ends with 1 when a version has a known vulnerability; says so plainly, and passes, when nobody could be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from rich.console import Console

from tests.checks.environments import CONSTRAINTS

LIMIT_SECONDS = 180
OUT = Console(highlight=False, soft_wrap=True)


def audit() -> list[dict[str, Any]]:  # Any: rows of pip-audit's JSON
    """Rows of pip-audit, one per distribution; empty when the database cannot be reached."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(CONSTRAINTS), "--format", "json"]
    options = ["--no-deps", "--disable-pip", "--progress-spinner", "off"]
    try:
        done = subprocess.run(command + options, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)
        rows: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return []
    return rows


def report(rows: list[dict[str, Any]]) -> int:
    """Say what was found, and return the exit code."""
    asked = [row for row in rows if "skip_reason" not in row]
    if not asked:
        OUT.print("dependency audit: SKIPPED, the vulnerability database cannot be reached from here")
        return 0
    bad = [(row, found) for row in asked for found in row["vulns"]]
    for row, found in bad:
        fixes = ", ".join(found["fix_versions"]) or "no fixed version yet"
        OUT.print(f"{row['name']} {row['version']}: {found['id']} (fixed in {fixes})")
    OUT.print(f"dependency audit: {len(asked)} of {len(rows)} versions checked, {len(bad)} vulnerabilities")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(report(audit()))
