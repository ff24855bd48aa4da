"""The event loop of a gateway: uvloop, which spends about an eighth less on the same work than asyncio's own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

_Answer = TypeVar("_Answer")


def run(main: Coroutine[Any, Any, _Answer]) -> _Answer:
    """Run until `main` returns.

    >>> run(asyncio.sleep(0, "done"))
    'done'
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
