"""What can go wrong between a person, the provider and this server; each is one sentence."""

from __future__ import annotations

from shopfloor.plant import ShopfloorError


class NotVouched(ShopfloorError):  # noqa: N818 (what the provider did not do)
    """What came back is no proof of who somebody is."""


class NoRole(ShopfloorError):  # noqa: N818
    """The provider knows the person, and this plant has no role for them."""


class ProviderAway(ShopfloorError):  # noqa: N818
    """The provider cannot be asked, or refuses this server itself."""
