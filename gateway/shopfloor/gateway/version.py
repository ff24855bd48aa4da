"""Which version this is."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def installed_version() -> str:
    """Version of the installed distribution; "0" in a source tree that was never installed."""
    try:
        return version("shopfloor")
    except PackageNotFoundError:
        return "0"
