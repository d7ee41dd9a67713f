"""Reading bundles of earlier formats: one step per version, each from the version before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recsvc.errors import BundleVersionUnsupported

Document = dict[str, Any]  # a manifest as JSON, of any version
STEPS: dict[int, Callable[[Document], Document]] = {}
FORMAT_VERSION = 1


def to_current(bundle_id: str, document: Document) -> Document:
    """Manifest of any readable version in today's form.

    Raises
    ------
    BundleVersionUnsupported
        If it is newer than this release, or older than its first step.
    """
    version = int(document["format_version"])
    while version != FORMAT_VERSION:
        if version not in STEPS:
            raise BundleVersionUnsupported(bundle_id, version, (*sorted(STEPS), FORMAT_VERSION))
        document = STEPS[version](document)
        version = int(document["format_version"])
    return document
