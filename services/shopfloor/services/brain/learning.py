"""Train in a process of its own: read the history here, stream it there, follow what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shopfloor.plant.asset import Asset
from shopfloor.plant.errors import ShopfloorError
from shopfloor.services.brain.feed import HistoryReader, send, tables

Tell = Callable[[dict[str, Any]], None]


class TrainingFailed(ShopfloorError):  # noqa: N818 (what happened)
    """The training process ended without models; the sentence says why."""


@dataclass(slots=True)
class Learning:
    """One training run. `stop` ends it from another thread."""

    reader: HistoryReader
    assets: Sequence[Asset]
    folder: Path
    tell: Tell
    process: subprocess.Popen[bytes] | None = None
    stopped: bool = False

    def run(self, start: int, end: int) -> None:
        """Train on [start, end) UTC ns and leave bundles in the folder; raises `TrainingFailed`."""
        said: dict[str, Any] = {}
        with self._process(start, end) as process:
            self.process = process
            listener = threading.Thread(target=self._listen, args=(process, said), name="training", daemon=True)
            listener.start()
            self._feed(process, start, end)
            process.wait()
            listener.join()
        if self.stopped:
            raise TrainingFailed("The training was stopped.")
        if "done" not in said:
            raise TrainingFailed(said.get("failed") or f"The training ended with code {process.returncode}.")

    def stop(self) -> None:
        """End the process, if it runs."""
        self.stopped = True
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def _process(self, start: int, end: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "shopfloor.services.brain.trainer", "--folder", str(self.folder)]
        command += ["--start", str(start), "--end", str(end), "--assets", str(len(self.assets))]
        single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
        return subprocess.Popen(  # noqa: S603 (our own module)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **single}
        )

    def _feed(self, process: subprocess.Popen[bytes], start: int, end: int) -> None:
        assert process.stdin is not None  # noqa: S101 (asked for above)
        try:
            for asset in self.assets:
                if self.stopped:
                    break
                several = tables(self.reader, [asset], start, end, previous=True)
                send(process.stdin, {"asset": str(asset.path), "type": asset.type}, several)  # type: ignore[arg-type]
        except BrokenPipeError:
            pass
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()

    def _listen(self, process: subprocess.Popen[bytes], said: dict[str, Any]) -> None:
        assert process.stdout is not None  # noqa: S101 (asked for above)
        for line in process.stdout:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            said.update(entry)
            self.tell(entry)
