"""Every stored value of some tags, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shopfloor.models.client.history import History
from shopfloor.models.client.moments import Moment, ns
from shopfloor.models.client.server import HERE, Server


def history(
    tags: str | Sequence[str],
    start: Moment | None = None,
    end: Moment | None = None,
    *,
    url: str = HERE,
    token: str | None = None,
    timeout_s: float = 60.0,
) -> History:
    """Every stored value of some tags in [start, end): by default the last hour, or the hour before `end`.

    `tags` are paths, their beginnings, or selectors with `*`; times are exact to the microsecond. `token` is one of
    `shopfloor token create NAME --scope read`, by default that in the variable SHOPFLOOR_TOKEN, if any. A question
    that the server refuses raises `QuestionError`; a server that is not there, refuses the token or breaks off
    raises `StoreError`; `timeout_s` is between two pieces of an answer.

        history("delta/frames/*/cell-a", "2026-11-01", "2026-11-08").pandas()
    """
    return values(Server(url, token, timeout_s), [tags] if isinstance(tags, str) else tags, start, end)


def values(server: Server, tags: Sequence[str], start: Moment | None, end: Moment | None) -> History:
    """The same of a server that is known."""
    asked: dict[str, Any] = {"tag": list(tags)}
    asked |= {name: ns(at) / 1e6 for name, at in (("start", start), ("end", end)) if at is not None}
    return History(server.arrow("/history/read", asked))
