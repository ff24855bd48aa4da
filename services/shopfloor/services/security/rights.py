"""Who may do what: one table of rights and roles, as data.

Every route of the API names its right (`services/api/needs.py`). A role is given to an account or a token.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What somebody is to the plant. `WRITER` is a token that sends values and nothing else, `GATEWAY` the edge."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ENGINEER = "engineer"
    DATA_SCIENTIST = "data-scientist"
    ADMIN = "admin"
    WRITER = "writer"
    GATEWAY = "gateway"


PEOPLE: Final = (Role.VIEWER, Role.OPERATOR, Role.ENGINEER, Role.DATA_SCIENTIST, Role.ADMIN)
"""The roles that an account may have."""


class Right(StrEnum):
    """Something that a caller may or may not do."""

    OPEN = "open"
    OWN = "own"
    SEE = "see"
    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    DOWNTIME = "downtime"
    ORDERS = "orders"
    WORK_ORDERS = "work-orders"
    REPORT = "report"
    LIMITS = "limits"
    OUT_OF_SERVICE = "out-of-service"
    SETPOINT = "setpoint"
    BROWSE = "browse"
    SOURCES = "sources"
    CERTIFICATES = "certificates"
    VALUES = "values"
    DEPLOY = "deploy"
    SHADOW = "shadow"
    REPLAY = "replay"
    PROPOSE = "propose"
    LABEL = "label"
    PROMOTE = "promote"
    ACCOUNTS = "accounts"
    SESSIONS = "sessions"
    TOKENS = "tokens"
    AUDIT = "audit"
    FORWARD = "forward"


_EVERYBODY: Final = frozenset(PEOPLE)
_LINE: Final = frozenset({Role.OPERATOR, Role.ENGINEER, Role.ADMIN})
_PLANT: Final = frozenset({Role.ENGINEER, Role.ADMIN})
_MODELS: Final = frozenset({Role.DATA_SCIENTIST, Role.ADMIN})
_ADMIN: Final = frozenset({Role.ADMIN})

RIGHTS: Final[dict[Right, frozenset[Role]]] = {
    Right.OPEN: frozenset(Role),
    Right.OWN: _EVERYBODY,
    Right.SEE: _EVERYBODY,
    Right.ACKNOWLEDGE: _LINE,
    Right.SHELVE: _LINE,
    Right.DOWNTIME: _LINE,
    Right.ORDERS: _LINE,
    Right.WORK_ORDERS: _LINE,
    Right.REPORT: _LINE,
    Right.LIMITS: _PLANT,
    Right.OUT_OF_SERVICE: _PLANT,
    Right.SETPOINT: _PLANT,
    Right.BROWSE: _PLANT,
    Right.SOURCES: _PLANT,
    Right.CERTIFICATES: _PLANT,
    Right.VALUES: _PLANT | {Role.WRITER},
    Right.DEPLOY: _MODELS,
    Right.SHADOW: _MODELS,
    Right.REPLAY: _MODELS,
    Right.PROPOSE: _MODELS,
    Right.LABEL: _MODELS | _LINE,
    Right.PROMOTE: _PLANT,
    Right.ACCOUNTS: _ADMIN,
    Right.SESSIONS: _ADMIN,
    Right.TOKENS: _ADMIN,
    Right.AUDIT: _ADMIN,
    Right.FORWARD: frozenset({Role.GATEWAY}),
}
"""Right by role; `OPEN` is for whoever asks, `OWN` for everybody's own session and password."""

SAYS: Final[dict[Right, str]] = {
    Right.OPEN: "ask who may come in",
    Right.OWN: "change one's own password and sessions",
    Right.SEE: "see the plant",
    Right.ACKNOWLEDGE: "acknowledge an alarm",
    Right.SHELVE: "shelve an alarm",
    Right.DOWNTIME: "tell of a stop or of scrap",
    Right.ORDERS: "plan, start or end an order",
    Right.WORK_ORDERS: "make, start or end a work order",
    Right.REPORT: "make and keep a report",
    Right.LIMITS: "make control limits anew",
    Right.OUT_OF_SERVICE: "take an alarm out of service",
    Right.SETPOINT: "write a setpoint",
    Right.BROWSE: "ask a device what it offers",
    Right.SOURCES: "change a source",
    Right.CERTIFICATES: "approve or reject a certificate",
    Right.VALUES: "send values",
    Right.DEPLOY: "deploy a model",
    Right.SHADOW: "let a model run in shadow",
    Right.REPLAY: "replay a model",
    Right.PROPOSE: "train and propose a model",
    Right.LABEL: "tell what turned out to be true",
    Right.PROMOTE: "promote or withdraw a model",
    Right.ACCOUNTS: "manage accounts",
    Right.SESSIONS: "manage the sessions of others",
    Right.TOKENS: "manage tokens",
    Right.AUDIT: "read the audit",
    Right.FORWARD: "forward values as a gateway",
}
"""Each right in the words of a sentence."""

TOPICS: Final[dict[str, Right]] = {
    "values": Right.SEE,
    "alarms": Right.SEE,
    "predictions": Right.SEE,
    "health": Right.SEE,
    "charts": Right.SEE,
}
"""Topics of the live socket, and the right that subscribing to each takes."""

UNAUDITED: Final = frozenset({Right.SEE, Right.BROWSE, Right.VALUES, Right.FORWARD})
"""Rights whose requests change nothing, or are values, which the ledger counts."""


def may(role: Role | None, right: Right) -> bool:
    """Whether a role has a right; without a role only what is open to everybody.

    >>> may(Role.OPERATOR, Right.ACKNOWLEDGE), may(Role.VIEWER, Right.ACKNOWLEDGE), may(None, Right.OPEN)
    (True, False, True)
    """
    return right is Right.OPEN or role in RIGHTS[right]


def refusal(name: str, role: Role | None, right: Right) -> str:
    """The sentence for somebody who may not.

    >>> refusal("ben", Role.VIEWER, Right.SHELVE)
    'ben (viewer) may not shelve an alarm: that takes the role operator, engineer or admin. An admin gives roles.'
    """
    roles = [role.value for role in (*PEOPLE, Role.WRITER, Role.GATEWAY) if role in RIGHTS[right]]
    wanted = f"{', '.join(roles[:-1])} or {roles[-1]}" if len(roles) > 1 else roles[0]
    return (
        f"{name} ({role.value if role else 'no role'}) may not {SAYS[right]}:"
        f" that takes the role {wanted}. An admin gives roles."
    )
