"""Prometheus metrics of one worker, and the page that adds up all of them.

With `PROMETHEUS_MULTIPROC_DIR` set before the process starts (`gunicorn_conf.py` does) every worker counts
in files there, and whichever worker is asked answers for all. Labels are route templates, never paths.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from recsvc.serving.slate import Slate

BUCKETS_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LAG_BUCKETS_SECONDS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 6 * 3_600.0, 86_400.0, 7 * 86_400.0)
MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # the library's own switch, not a setting of ours
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts of one application; each has a registry of its own, so two applications do not collide."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "recsvc_http_request_seconds",
            "Time to answer a request; its count is the number of requests",
            ("method", "route", "status"),
            buckets=BUCKETS_SECONDS,
            registry=self._registry,
        )
        self._slates = Counter(
            "recsvc_slates", "Slates by strategy; popular is the fallback", ("strategy",), registry=self._registry
        )
        self._stored = Counter(
            "recsvc_stored_slates", "Slates the bundle held ready; the others were ranked live", registry=self._registry
        )
        self._empty = Counter("recsvc_empty_slates", "Slates without an item", registry=self._registry)
        self._bundle = self._gauge("recsvc_bundle_info", "Workers answering from it", "livesum", ("bundle_id",))
        self._created = self._gauge(
            "recsvc_bundle_created_timestamp_seconds", "Its creation", "livemax", ("bundle_id",)
        )
        self._problem = self._gauge("recsvc_bundle_problem", "1 when a newer bundle would not load", "livemax")
        self._lag = Histogram(
            "recsvc_event_lag_seconds",
            "From the moment an event occurred to its acceptance; 0 where the sender's clock is ahead",
            buckets=LAG_BUCKETS_SECONDS,
            registry=self._registry,
        )
        self._shed = Counter("recsvc_shed_requests", "Requests refused since too many waited", registry=self._registry)
        self._store = self._gauge("recsvc_store_reachable", "1 when the live store answered", "livemostrecent")
        self._serving: str | None = None
        self._observe = lru_cache(maxsize=1024)(self._observer)

    def _gauge(self, name: str, text: str, mode: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry, multiprocess_mode=mode)  # type: ignore[arg-type]

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is a template."""
        self._observe(method, route, status)(seconds)

    def _observer(self, method: str, route: str, status: int) -> Callable[[float], None]:
        return self._seconds.labels(method, route, str(status)).observe

    def made(self, slates: Iterable[Slate]) -> None:
        """Count slates by strategy, those the bundle held ready, and those without an item."""
        for slate in slates:
            self._slates.labels(slate.strategy).inc()
            if slate.stored:
                self._stored.inc()
            if not slate.items:
                self._empty.inc()

    def serves(self, bundle_id: str, created_at: datetime) -> None:
        """Note which bundle this worker answers from."""
        if bundle_id == self._serving:
            return
        if self._serving is not None:
            self._bundle.labels(self._serving).set(0)
        self._bundle.labels(bundle_id).set(1)
        self._created.labels(bundle_id).set(created_at.timestamp())
        self._serving = bundle_id

    def has_problem(self, problem: bool) -> None:
        """Note whether a newer bundle would not load."""
        self._problem.set(int(problem))

    def accepted(self, lags_seconds: Iterable[float]) -> None:
        """Count new events by the seconds since each occurred."""
        for lag in lags_seconds:
            self._lag.observe(max(lag, 0.0))

    def shed(self) -> None:
        """Count a request that was refused since too many waited."""
        self._shed.inc()

    def reaches_store(self, reachable: bool) -> None:
        """Note whether the live store answered just now."""
        self._store.set(int(reachable))

    def page(self) -> bytes:
        """Everything counted, by all workers where there are several, in Prometheus' text format."""
        if not os.environ.get(MULTIPROCESS_VARIABLE):
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)
