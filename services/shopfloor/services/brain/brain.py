"""The brain's life: wait for the history, learn from it in a process of its own, then judge every few seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from shopfloor.models.bundle import Bundle, RefusedBundle, load
from shopfloor.models.columns import DAY, MINUTE
from shopfloor.models.features import PART_FEATURES, POT_FEATURES
from shopfloor.models.inputs import MACHINE, TAGS, TARGETS
from shopfloor.models.memory import pack, unpack
from shopfloor.plant.config import PlantConfig
from shopfloor.plant.counted import counted
from shopfloor.plant.errors import ShopfloorError
from shopfloor.services.brain.diary import Diary
from shopfloor.services.brain.feed import HistoryReader
from shopfloor.services.brain.follow import lines, newest, recall, remembered
from shopfloor.services.brain.learning import Learning, TrainingFailed
from shopfloor.services.brain.live import Live
from shopfloor.services.brain.views import model_view

log: Final = logging.getLogger(__name__)

HISTORY: Final = 7 * DAY
_EVERY: Final = 5.0
_SAVE: Final = 10 * MINUTE
_RETRY: Final = 300.0
MEMORY: Final = "memory.npz"
Callback = Callable[[Sequence[Mapping[str, Any]]], None]


class Brain:
    """Predictions of all assets, from bundles that were learned from the plant's own history.

    A constructor stores, `start` acts. Everything but `start` and `stop` may be called from any thread.
    """

    def __init__(
        self,
        config: PlantConfig,
        reader: HistoryReader,
        folder: Path,
        clock: Callable[[], int],
        history_complete: Callable[[], bool] = lambda: True,
        *,
        every: float = _EVERY,
    ) -> None:
        self._assets = [asset for asset in config.assets if asset.type in TAGS]
        self._reader, self._folder, self._clock, self._complete = reader, folder, clock, history_complete
        self._every = every
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._learning: Learning | None = None
        self._live: Live | None = None
        self._diary: Diary | None = None
        self._callbacks: list[Callback] = []
        self._status: dict[str, Any] = _status("waiting", 0.0, "Waiting for the history.", 0.0)
        self._saved = 0

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._diary = Diary(self._folder)
        self._thread = threading.Thread(target=self._run, name="brain", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End training and judging; what is needed to go on is on disk afterwards."""
        self._stop.set()
        if self._learning is not None:
            self._learning.stop()
        if self._thread is not None:
            self._thread.join()
        if self._diary is not None:
            self._diary.close()

    def status(self) -> dict[str, Any]:
        """State (waiting, training, ready, failed), progress 0 to 1, a sentence, CPU seconds of training."""
        return dict(self._status)

    def predictions(self, asset: str | None = None) -> list[dict[str, Any]]:
        """The newest prediction of every target, for one asset or all."""
        return self._live.predictions(asset) if self._live is not None else []

    def history(self, asset: str, target: str, start: int, end: int) -> dict[str, list[Any]]:
        """Past predictions in columns; `start` and `end` in UTC ns, times in epoch ms."""
        if self._diary is None:
            return {"time": [], "value": [], "low": [], "high": []}
        return self._diary.read(asset, target, start, end)

    def models(self) -> list[dict[str, Any]]:
        """The models in use, with their scores beside a trivial baseline."""
        return [model_view(b.manifest) for b in self._live.bundles.values()] if self._live is not None else []

    def subscribe(self, callback: Callback) -> None:
        """Call back with every set of predictions that changed, from the brain's thread."""
        self._callbacks.append(callback)

    def _run(self) -> None:
        try:
            bundles = self._bundles() or self._learn()
            if bundles:
                self._judge(bundles)
        except ShopfloorError as problem:
            self._status = _status("failed", 0.0, str(problem), self._cpu())
            log.error("The brain stopped: %s", problem)  # noqa: TRY400 (one clear line)

    def _bundles(self) -> dict[str, Bundle]:
        """The sealed bundles of an earlier start; none when any is refused."""
        found: dict[str, Bundle] = {}
        for kind, targets in TARGETS.items():
            features = PART_FEATURES if kind == MACHINE else POT_FEATURES
            for target in targets:
                if not (self._folder / target).is_dir():
                    continue
                try:
                    found[target] = load(self._folder / target, features)
                except RefusedBundle as problem:
                    log.warning("%s", problem)
                    return {}
        wanted = {target for asset in self._assets for target in TARGETS[asset.type]}
        return found if found.keys() & wanted else {}

    def _learn(self) -> dict[str, Bundle]:
        """Wait for the history, train, load what came; tries again later when there was too little to learn from."""
        while not self._stop.is_set():
            if self._assets and self._complete():
                try:
                    return self._train()
                except TrainingFailed as problem:
                    if self._stop.is_set():
                        break
                    self._status = _status("waiting", 0.0, f"{problem} The next try is in five minutes.", self._cpu())
                    log.warning("No models yet: %s", problem)
                    self._stop.wait(_RETRY)
            self._stop.wait(1.0)
        return {}

    def _train(self) -> dict[str, Bundle]:
        end = max(newest(self._reader, self._assets).values(), default=self._clock()) // MINUTE * MINUTE
        self._status = _status("training", 0.0, "Reading the history.", 0.0)
        self._learning = Learning(self._reader, self._assets, self._folder, self._tell)
        self._learning.run(end - HISTORY, end)
        return self._bundles()

    def _tell(self, entry: Mapping[str, Any]) -> None:
        """What the training process said."""
        if "progress" in entry:
            self._status = _status("training", entry["progress"], entry["sentence"], entry["cpu_s"])
        elif "cpu_s" in entry:
            self._status = {**self._status, "cpu_s": entry["cpu_s"]}

    def _judge(self, bundles: Mapping[str, Bundle]) -> None:
        assert self._diary is not None  # noqa: S101 (opened by start)
        several = lines(self._assets)
        self._recall(several)
        live = Live(self._reader, several, bundles, self._diary, self._clock)
        self._live = live
        self._status = _status("ready", 1.0, _ready(bundles), self._cpu())
        self._saved = self._clock()
        while not self._stop.is_set():
            self._tick(live)
            self._stop.wait(self._every)
        self._save(live)

    def _tick(self, live: Live) -> None:
        changed = live.tick(self._stop.is_set)
        if changed:
            for callback in self._callbacks:
                callback(changed)
        if self._clock() - self._saved >= _SAVE:
            self._save(live)

    def _recall(self, several: Any) -> None:
        try:
            recall(several, unpack((self._folder / MEMORY).read_bytes()))
        except FileNotFoundError:
            log.info("The brain remembers nothing yet.")
        except (OSError, ValueError, KeyError) as problem:
            log.warning("The brain forgot the last hours (%s) and begins anew.", problem)

    def _save(self, live: Live) -> None:
        fresh = self._folder / f"{MEMORY}.new"
        try:
            fresh.write_bytes(pack(remembered(live.lines)))
            fresh.replace(self._folder / MEMORY)
        except OSError as problem:
            log.warning("The brain could not keep what it saw (%s): free some disk.", problem)
        self._saved = self._clock()

    def _cpu(self) -> float:
        return float(self._status["cpu_s"])


def _status(state: str, progress: float, sentence: str, cpu_s: float) -> dict[str, Any]:
    return {"state": state, "progress": progress, "sentence": sentence, "cpu_s": cpu_s}


def _ready(bundles: Mapping[str, Bundle]) -> str:
    idle = [b.manifest.title for b in bundles.values() if b.manifest.state != "ready"]
    judging = counted(len(bundles) - len(idle), "model judges", "models judge")
    return f"{judging} live" + (f"; {', '.join(idle)} abstains." if idle else ".")
