"""What an operator's tools read: a Grafana dashboard and Prometheus alert rules, over the names in `api/metrics.py`."""

from __future__ import annotations

from pathlib import Path

DASHBOARD = Path(__file__).with_name("dashboard.json")
ALERTS = Path(__file__).with_name("alerts.yml")
