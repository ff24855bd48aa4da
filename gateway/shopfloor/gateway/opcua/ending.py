"""Ending the tasks of a link: the way back to a server must never wait for one that does not end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Any, Final

_logger = logging.getLogger(__name__)
_PATIENCE_S: Final = 2.0


async def end(tasks: Collection[asyncio.Task[Any]], patience_s: float = _PATIENCE_S) -> None:
    """Cancel tasks and wait until they have ended; one that goes on all the same is named and left behind.

    >>> async def example() -> bool:
    ...     task = asyncio.create_task(asyncio.sleep(60))
    ...     await end([task])
    ...     return task.cancelled()
    >>> asyncio.run(example())
    True
    """
    for task in tasks:
        task.cancel()
    if not tasks:
        return
    ended, left = await asyncio.wait(tasks, timeout=patience_s)
    for task in ended:
        if not task.cancelled():
            task.exception()
    for task in left:
        _logger.warning("The task %r of a lost link does not end: the link is made anew without it.", task.get_name())
