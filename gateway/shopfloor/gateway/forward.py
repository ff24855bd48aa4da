"""Forwarding: sends the spool to the server, strictly in order, and forgets what the server made durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from shopfloor.gateway.backoff import Backoff
from shopfloor.gateway.server import SequenceGap, Server, TokenRefused
from shopfloor.gateway.spool import Hole, Row, Spool
from shopfloor.plant import RejectedError, SinkUnavailable

_logger = logging.getLogger(__name__)
_SLOW_S: Final = 5.0
_SENTENCE: Final = 2_000
_FORGET_ROWS: Final = 16
_FORGET_S: Final = 0.5


@dataclass(slots=True)
class Forwarder:
    """The one sender of a spool. `sentence` says what keeps it from sending, and is empty when all is well."""

    spool: Spool
    server: Server
    committed: asyncio.Event
    backoff: Backoff = field(default_factory=lambda: Backoff(0.2, 1.5))
    sentence: str = ""
    duplicates: int = 0
    _sent: int = 0
    _done: list[Row] = field(default_factory=list)
    _forgetting: asyncio.Task[None] | None = None
    _tried: int = 0
    _own: int = 0

    async def run(self) -> None:
        """Send until cancelled; whatever the server answers, nothing is forgotten before its 200."""
        self._own = self.spool.next_sequence
        while True:
            try:
                await self._send_all()
            except TokenRefused as refused:
                self._say(str(refused))
                await asyncio.sleep(_SLOW_S)
            except SinkUnavailable as problem:
                self._say(str(problem))
                await asyncio.sleep(self.backoff.next())
            except SequenceGap as gap:
                await self._resume_at(gap.expected)

    async def _send_all(self) -> None:
        ahead: asyncio.Task[Sequence[Row | Hole]] | None = None
        try:
            while True:
                rows = await (ahead or self._after(self._sent))
                ahead = None
                if not rows:
                    await self._rest()
                    continue
                if rows[-1].sequence < self.spool.next_sequence - 1:
                    ahead = asyncio.create_task(self._after(rows[-1].sequence), name="prefetch")
                for row in rows:
                    await (self._report(row) if isinstance(row, Hole) else self._send(row))
        finally:
            if ahead:
                await asyncio.wait([ahead])
            self.spool.settle(self._tried)
            await self._forget()

    async def _report(self, hole: Hole) -> None:
        self._tried = max(self._tried, hole.sequence)
        try:
            await self.server.report_dropped(self.spool.id, hole)
        except RejectedError as problem:
            raise SinkUnavailable(f"The server does not take the report of dropped values: {problem}") from problem
        await asyncio.to_thread(self.spool.close_hole, hole)
        values = sum(values for values, _ in hole.accounts.values())
        _logger.warning("The spool was full: %s values were dropped, and the server knows.", f"{values:,}")
        self._sent = hole.sequence
        self._well()

    async def _after(self, sequence: int) -> Sequence[Row | Hole]:
        """What follows a sequence: from memory while the server keeps up, else from the disk."""
        if fresh := self.spool.fresh(sequence):
            return fresh
        return await asyncio.to_thread(self.spool.peek, sequence) if sequence < self.spool.next_sequence - 1 else []

    async def _rest(self) -> None:
        """Wait for the next commit. In steady flow rows are forgotten some at a time, not each in a transaction."""
        try:
            async with asyncio.timeout(_FORGET_S):
                await self.committed.wait()
        except TimeoutError:
            await self._forget()
            await self.committed.wait()
        self.committed.clear()

    async def _send(self, row: Row) -> None:
        first_time, self._tried = row.sequence > self._tried, max(self._tried, row.sequence)
        if not row.refused:
            try:
                duplicate = await self.server.ingest(self.spool.id, row)
            except RejectedError as refused:
                row = replace(row, refused=str(refused)[:_SENTENCE])
                await asyncio.to_thread(self.spool.refuse, row, row.refused)
            else:
                self.duplicates += duplicate
                if duplicate and first_time and row.sequence >= self._own:
                    await self._restored_from_a_copy(row)
        if row.refused:
            await self._put_aside(row)
        else:
            self._done.append(row)
        self._sent = row.sequence
        self._well()
        if len(self._done) >= _FORGET_ROWS and not (self._forgetting and not self._forgetting.done()):
            self._forgetting = asyncio.create_task(self._forget_now(), name="forget")

    async def _put_aside(self, row: Row) -> None:
        try:
            await self.server.report_rejected(self.spool.id, row)
        except RejectedError as problem:
            raise SinkUnavailable(f"The server does not take the report of a rejected batch: {problem}") from problem
        await asyncio.to_thread(self.spool.reject, row)
        _logger.warning("The server rejected batch %d of %s: %s", row.sequence, row.source, row.refused)

    async def _forget(self) -> None:
        """Forget all that the server has; what is being forgotten beside the sending is finished first."""
        if self._forgetting:
            await asyncio.wait([self._forgetting])
        await self._forget_now()

    async def _forget_now(self) -> None:
        if self._done:
            rows, self._done = self._done, []
            try:
                await asyncio.to_thread(self.spool.forget, rows)
            except SinkUnavailable as problem:
                self._done = rows + self._done
                self._say(str(problem))

    async def _resume_at(self, expected: int) -> None:
        oldest = await asyncio.to_thread(self.spool.peek, 0, 1)
        if oldest and oldest[0].first <= expected < self.spool.next_sequence:
            self._sent = expected - 1
            await asyncio.sleep(self.backoff.next())
            return
        await self._begin_anew(
            f"The server expects batch {expected} of gateway {self.spool.id}, which the spool no longer holds (was the"
            " server's data replaced?)"
        )

    async def _restored_from_a_copy(self, row: Row) -> None:
        await self._begin_anew(
            f"The server already holds batch {row.sequence} of gateway {self.spool.id}, which was never sent (was this"
            " folder restored from a copy?)"
        )
        raise SinkUnavailable("The gateway starts a new sequence.")

    async def _begin_anew(self, why: str) -> None:
        await self._forget()
        name = await asyncio.to_thread(self.spool.begin_anew)
        self._sent = self._tried = 0
        self._own = self.spool.next_sequence
        self._done.clear()
        _logger.warning("%s: this gateway goes on as %s and sends all that waits.", why, name)

    def hear(self, sentence: str) -> None:
        """What a health report met ("" when it arrived): of use while no batch waits, which would tell the same."""
        if self.spool.tally.batches:
            return
        if sentence:
            self._say(sentence)
        else:
            self._well()

    def _say(self, sentence: str) -> None:
        if sentence != self.sentence:
            _logger.warning("%s", sentence)
        self.sentence = sentence

    def _well(self) -> None:
        self.backoff.reset()
        if self.sentence:
            _logger.warning("The server takes values again.")
        self.sentence = ""
