"""Every route of the service, in one table."""

from __future__ import annotations

from recsvc.api import customers, docs, health, items, lists, recommendations
from recsvc.api.route import Route

ROUTES: tuple[Route, ...] = (
    *recommendations.ROUTES,
    *customers.ROUTES,
    *items.ROUTES,
    *lists.ROUTES,
    *health.ROUTES,
    *docs.ROUTES,
)
