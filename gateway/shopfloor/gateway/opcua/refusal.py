"""A refusal with a cause that programs know, a reason that people understand, and the next step."""

from __future__ import annotations

from shopfloor.plant import SourceLost


class Refusal(SourceLost):
    """Why a connection was not made.

    >>> refusal = Refusal("host-unknown", "The host plc-9 is not known", "check its name")
    >>> str(refusal), refusal.cause
    ('The host plc-9 is not known: check its name.', 'host-unknown')
    """

    def __init__(self, cause: str, why: str, fix: str) -> None:
        super().__init__(f"{why}: {fix}.")
        self.cause, self.why, self.fix = cause, why, fix
