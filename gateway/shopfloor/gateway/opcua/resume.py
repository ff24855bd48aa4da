"""What a source keeps between two links, and the ladder back: the same session, its subscriptions transferred, anew.

Source: OPC 10000-4, 6.7 (re-establishing connections), 5.14.6 (Republish), 5.14.7 (TransferSubscriptions).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from asyncua import ua
from shopfloor.gateway.opcua.ask import Acknowledgement
from shopfloor.gateway.opcua.columns import Columns
from shopfloor.gateway.opcua.items import Item
from shopfloor.gateway.opcua.session import Link, Ticket
from shopfloor.gateway.opcua.subscribe import Subscribed
from shopfloor.gateway.opcua.wire import Notification

NOTHING_TO_DO: Final = 0x800F_0000
_LIFETIME_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Station:
    """Where a source stands with its server, as bytes in the spool: session, subscriptions, next sequences, items.

    `events` is the number of the subscription to events, 0 without one; `notifiers` are its monitored items.
    """

    ticket: Ticket
    subscriptions: tuple[tuple[int, float], ...]
    following: Mapping[int, int]
    items: str
    events: int = 0
    notifiers: tuple[int, ...] = ()

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps(
            {
                "token": self.ticket.token,
                "nonce": self.ticket.nonce.hex(),
                "subscriptions": self.subscriptions,
                "following": list(self.following.items()),
                "items": self.items,
                "events": self.events,
                "notifiers": self.notifiers,
            }
        ).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self | None:
        """Read what `to_bytes` wrote; None for anything else.

        >>> station = Station(Ticket("i=7", b"n"), ((78, 2.0),), {78: 4}, "x")
        >>> Station.from_bytes(station.to_bytes()) == station, Station.from_bytes(b"[]")
        (True, None)
        """
        try:
            found = json.loads(data)
            return cls(
                Ticket(str(found["token"]), bytes.fromhex(found["nonce"])),
                tuple((int(number), float(silence)) for number, silence in found["subscriptions"]),
                {int(number): int(sequence) for number, sequence in found["following"]},
                str(found["items"]),
                int(found.get("events", 0)),
                tuple(int(item) for item in found.get("notifiers", ())),
            )
        except (ValueError, TypeError, KeyError):
            return None


@dataclass(slots=True)
class Kept:
    """A lost link: what was received and not handed over, what is to be acknowledged, and how to read it."""

    station: Station
    columns: Columns | None = None
    received: list[Notification] = field(default_factory=list)
    acknowledgements: list[Acknowledgement] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    @property
    def expired(self) -> bool:
        """Whether the server has certainly forgotten all of it."""
        return time.monotonic() - self.since > _LIFETIME_S

    def subscriptions(self) -> list[Subscribed]:
        """The subscriptions as they were created."""
        return [Subscribed(number, silence, []) for number, silence in self.station.subscriptions]


def fingerprint(items: Mapping[int, Item], notifiers: Sequence[str] = ()) -> str:
    """Tells whether handles still mean the same variables and notifiers of events.

    >>> one, two = Item(ua.NodeId(1), "a"), Item(ua.NodeId(2), "b")
    >>> fingerprint({1: one, 2: two}) == fingerprint({1: two, 2: one})
    False
    """
    digest = hashlib.sha256()
    for handle, item in items.items():
        digest.update(f"{handle} {item.node.to_string()} {item.tag}\n".encode())
    for notifier in notifiers:
        digest.update(f"events {notifier}\n".encode())
    return digest.hexdigest()[:16]


async def transferred(link: Link, numbers: Sequence[int]) -> bool:
    """Whether all subscriptions belong to this session now. BadNothingToDo means that they did already."""
    parameters = ua.TransferSubscriptionsParameters()
    parameters.SubscriptionIds = list(numbers)
    parameters.SendInitialValues = False
    try:
        results = await link.session.transfer_subscriptions(parameters)
    except ua.UaStatusCodeError:
        return False
    return len(results) == len(numbers) and all(_mine(result.StatusCode) for result in results)


def _mine(status: Any) -> bool:
    return bool(status.is_good() or status.value == NOTHING_TO_DO)


async def forget(link: Link, numbers: Iterable[int]) -> None:
    """Delete subscriptions that are of no use any more; a server that does not know them has done so."""
    try:
        await link.session.delete_subscriptions(list(numbers))
    except ua.UaStatusCodeError:
        return
