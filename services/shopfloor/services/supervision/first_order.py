"""The demonstration begins with an order that runs, so that its page is not empty."""

from __future__ import annotations

import contextlib
from typing import Final

import httpx

_ORDERS: Final = "/api/v1/production/orders"
_ORDER: Final = {
    "by": "demo", "number": "A-1001", "item": "FRAME", "place": "delta/frames/machining/cell-a", "quantity": 2_000,
    "lots": [],
}  # fmt: skip


async def run_first_order(client: httpx.AsyncClient) -> None:
    """Plan and start one order, where there is none yet; without a server there is nothing to do."""
    with contextlib.suppress(httpx.TransportError):
        known = await client.get(_ORDERS)
        if known.is_success and not known.json():
            await client.post(_ORDERS, json=_ORDER)
            await client.post(f"{_ORDERS}/{_ORDER['number']}/start", json={"by": "demo"})
