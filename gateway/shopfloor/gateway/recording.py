"""Recordings: a folder of Arrow files becomes history, in the order of their names, one file a batch.

A file is deleted when its batch is committed in the spool. The recording ends when its `manifest.json` says
`complete` and no file is left.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from pydantic import Field
from shopfloor.plant import Batch, BatchError, SourceLost
from shopfloor.plant.config import Duration, Section
from shopfloor.plant.contracts import Plant

_logger = logging.getLogger(__name__)
_AHEAD: Final = 2


class RecordingOptions(Section):
    """A folder of recorded batches."""

    folder: str = Field(description="Folder of NNNNNN-<kind>.arrow files and a manifest.json.", min_length=1)
    poll: Duration = Field(0.5, description="How often to look for new files.")


@dataclass(slots=True)
class RecordingSource:
    """Hands over the files of a folder, oldest name first."""

    folder: Path
    poll: float = 0.5
    malformed: int = 0
    malformed_sentence: str = ""
    background: bool = field(default=True, init=False)

    @property
    def url(self) -> str:
        """Where the values come from."""
        return self.folder.as_uri() if self.folder.is_absolute() else str(self.folder)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Batch]]:
        """Iterate over the files that are there and those that come."""
        async with aclosing(self._batches(self.folder.is_dir())) as batches:
            yield batches

    async def _batches(self, seen: bool) -> AsyncGenerator[Batch, None]:
        while True:
            if seen and not self.folder.is_dir():
                raise SourceLost(f"The recording folder {self.folder} is gone.")
            seen = self.folder.is_dir()
            complete = self._complete()
            files = self._files()
            for file in files:
                batch = await asyncio.to_thread(self._read, file)
                if batch is not None:
                    yield batch
                    file.unlink(missing_ok=True)
            if complete and not files:
                return
            if not files:
                await asyncio.sleep(self.poll)

    def _files(self) -> list[Path]:
        try:
            return sorted(self.folder.glob("*.arrow"))[:_AHEAD]
        except OSError as problem:
            raise SourceLost(f"The recording folder {self.folder} cannot be read ({problem.strerror}).") from problem

    def _complete(self) -> bool:
        try:
            manifest = json.loads((self.folder / "manifest.json").read_bytes())
        except (OSError, ValueError):
            return False
        return isinstance(manifest, dict) and manifest.get("complete") is True

    def _read(self, file: Path) -> Batch | None:
        try:
            return Batch.from_bytes(file.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise SourceLost(f"The recording {file} cannot be read ({problem.strerror}).") from problem
        except BatchError as problem:
            self._set_aside(file, problem)
            return None

    def _set_aside(self, file: Path, problem: BatchError) -> None:
        self.malformed += 1
        self.malformed_sentence = f"The recording {file.name} is damaged and was set aside: {problem}"
        _logger.warning("%s", self.malformed_sentence)
        file.rename(file.with_suffix(".damaged"))


class RecordingConnector:
    """The kind `recording` of a source."""

    kind: ClassVar[str] = "recording"
    options: ClassVar[type[RecordingOptions]] = RecordingOptions

    def build(
        self,
        name: str,
        options: RecordingOptions,
        plant: Plant,
        folder: Path,
    ) -> RecordingSource:
        """Make the source."""
        return RecordingSource(Path(options.folder), options.poll)


CONNECTOR: Final = RecordingConnector()
