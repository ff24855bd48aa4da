"""The one error of sealed bundles."""

from __future__ import annotations

from shopfloor.plant.errors import ShopfloorError


class RefusedBundle(ShopfloorError):  # noqa: N818 (what happened to it)
    """A bundle that must not be used: changed, damaged, too slow, or made for another feature code."""
