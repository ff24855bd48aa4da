"""Browse and pick: what a device or a broker offers, what it says now, and the source that reads what was ticked.

Each call takes what a page asks (plain JSON) and the gateway's data folder, and answers in parts as they come;
`ShopfloorError` carries the sentence that the page shows. `shopfloor browse` uses the same calls.
"""

from shopfloor.gateway.picking.calls import browse, entry, values

__all__ = ["CALLS", "browse", "entry", "values"]

CALLS = {"browse": browse, "values": values, "entry": entry}
"""The calls by their name in `POST /api/v1/gateways/{gateway}/calls/{kind}`."""
