"""The brain's life: wait for the history, learn from it in a process of its own, then judge every few seconds."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from shopfloor.models.columns import DAY, MINUTE
from shopfloor.models.inputs import TAGS, TARGETS
from shopfloor.plant.asset import Asset
from shopfloor.plant.config import PlantConfig
from shopfloor.plant.counted import counted
from shopfloor.plant.errors import ShopfloorError
from shopfloor.services.brain.adopting import Adopting
from shopfloor.services.brain.advise import Window, advice, explanation
from shopfloor.services.brain.diary import Diary
from shopfloor.services.brain.drifting import Drifting
from shopfloor.services.brain.feed import HistoryReader
from shopfloor.services.brain.follow import lines, newest
from shopfloor.services.brain.kept import keep, recalled
from shopfloor.services.brain.learning import Learning, TrainingFailed
from shopfloor.services.brain.live import Live
from shopfloor.services.brain.recent import Recent
from shopfloor.services.brain.serving import Opened, Registered
from shopfloor.services.brain.streams.streams import Streams
from shopfloor.services.brain.views import model_view
from shopfloor.services.registry import Registry
from shopfloor.services.registry.watch import Watch
from shopfloor.services.registry.words import ModelUnknown

log: Final = logging.getLogger(__name__)

HISTORY: Final = 7 * DAY
_EVERY: Final = 5.0
_SAVE: Final = 10 * MINUTE
_RETRY: Final = 300.0
AGAIN: Final = "again"
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
        registry: Registry,
        history_complete: Callable[[], bool] = lambda: True,
        *,
        every: float = _EVERY,
    ) -> None:
        self._config = config
        self._assets = [asset for asset in config.assets if asset.type in TAGS]
        self._reader, self._folder, self._clock, self._complete = reader, folder, clock, history_complete
        self._every = every
        self._registry, self._watch = registry, Watch(registry)
        self._serving = Registered(registry, _by_target(self._assets))
        self._adopting = Adopting(registry, self._serving, self._assets, folder)
        self._recent = Recent()
        self._drifting = Drifting(registry, self._recent, clock)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._again: threading.Thread | None = None
        self._learning: Learning | None = None
        self._live: Live | None = None
        self._streams: Streams | None = None
        self._streaming: threading.Thread | None = None
        self._diary: Diary | None = None
        self._callbacks: list[Callback] = []
        self._status: dict[str, Any] = _status("waiting", 0.0, "Waiting for the history.", 0.0)
        self._saved = 0

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._diary = Diary(self._folder)
        self._thread = threading.Thread(target=self._run, name="brain", daemon=True)
        self._thread.start()
        self._streams = Streams(self._reader, self._registry, self._diary, self._clock, self._recent)
        judging = (self._stop, self._changed, self._watch.tend)
        self._streaming = threading.Thread(target=self._streams.run, args=judging, name="uploaded models", daemon=True)
        self._streaming.start()

    def stop(self) -> None:
        """End training and judging; what is needed to go on is on disk afterwards."""
        self._stop.set()
        if self._learning is not None:
            self._learning.stop()
        for thread in (self._thread, self._again, self._streaming):
            if thread is not None:
                thread.join()
        if self._diary is not None:
            self._diary.close()

    def status(self) -> dict[str, Any]:
        """State (waiting, training, ready, failed), progress 0 to 1, a sentence, CPU seconds of training."""
        return dict(self._status)

    def predictions(self, asset: str | None = None) -> list[dict[str, Any]]:
        """The newest prediction of every target, for one asset or all."""
        return [entry for one in (self._live, self._streams) if one is not None for entry in one.predictions(asset)]

    def explain(self, asset: str, target: str) -> dict[str, Any]:
        """Why the newest prediction of a target is what it is; none to explain raises `ModelUnknown`."""
        return explanation(self._window(asset, target))

    def advise(self, asset: str, target: str, low: float | None, high: float | None) -> dict[str, Any]:
        """Which setpoints would bring it inside [low, high]; none to ask about raises `ModelUnknown`."""
        window = self._window(asset, target)
        tags = next(self._config.tags_of(one) for one in self._config.assets if str(one.path) == asset)
        return advice(window, tags, low, high)

    def _window(self, asset: str, target: str) -> Window:
        known = (one.window(asset, target) for one in (self._live, self._streams) if one is not None)
        window = next((found for found in known if found is not None), None)
        if window is None:
            raise ModelUnknown(
                f"There is no prediction {target!r:.100} of {asset} now: GET predictions lists those there are."
            )
        return window

    def history(self, asset: str, target: str, start: int, end: int) -> dict[str, list[Any]]:
        """Past predictions in columns; `start` and `end` in UTC ns, times in epoch ms."""
        if self._diary is None:
            return {"time": [], "value": [], "low": [], "high": []}
        return self._diary.read(asset, target, start, end)

    def models(self) -> list[dict[str, Any]]:
        """The models in use, and those in their pilot, with their scores beside a trivial baseline."""
        champions = self._serving.champions() if self._live is not None else {}
        uploaded = self._streams.shown() if self._streams is not None else []
        return [
            {**model_view(one.bundle.manifest), "version": one.number, "scope": one.scope}
            for one in (*champions.values(), *(one.opened for one in uploaded))
        ]

    def left_out(self, name: str, number: int) -> list[dict[str, str]]:
        """Assets that an uploaded version cannot judge for want of a tag, each with a sentence."""
        return self._streams.left_out(name, number) if self._streams is not None else []

    def drift(self, name: str, number: int) -> dict[str, Any]:
        """How far what a version sees is from its training, and how well it keeps its word."""
        return self._drifting.of(name, number)

    def train_again(self) -> str:
        """Learn from the newest week in the background; what comes of it is proposed beside what speaks now."""
        if self._live is None:
            return "The brain has no models yet: they are on their way."
        if self._again is not None and self._again.is_alive():
            return "The training goes on already: its models will be proposed."
        self._again = threading.Thread(target=self._train_again, name="training again", daemon=True)
        self._again.start()
        return "The training has begun: its models will be proposed."

    def subscribe(self, callback: Callback) -> None:
        """Call back with every set of predictions that changed, from the brain's thread."""
        self._callbacks.append(callback)

    def _run(self) -> None:
        try:
            self._adopting.adopt(self._folder)
            if not self._assets:
                self._status = _status(
                    "ready", 1.0, "Uploaded models are judged; nothing here is learned by itself.", 0.0
                )
                return
            if not self._adopting.can_judge():
                self._learn()
            if self._adopting.can_judge():
                self._judge()
        except ShopfloorError as problem:
            self._status = _status("failed", 0.0, str(problem), self._cpu())
            log.error("The brain stopped: %s", problem)  # noqa: TRY400 (one clear line)

    def _learn(self) -> None:
        """Wait for the history, train, submit what came; tries again when there was too little to learn from."""
        while not self._stop.is_set():
            if self._assets and self._complete():
                try:
                    self._train()
                except TrainingFailed as problem:
                    if self._stop.is_set():
                        return
                    self._status = _status("waiting", 0.0, f"{problem} The next try is in five minutes.", self._cpu())
                    log.warning("No models yet: %s", problem)
                    self._stop.wait(_RETRY)
                else:
                    return
            self._stop.wait(1.0)

    def _train(self) -> None:
        end = self._end()
        self._status = _status("training", 0.0, "Reading the history.", 0.0)
        self._learning = Learning(self._reader, self._assets, self._folder, self._tell)
        self._learning.run(end - HISTORY, end)
        self._adopting.adopt(self._folder)
        if not self._adopting.can_judge():
            raise ShopfloorError("The models that were learned cannot be used: the log of the server says why.")

    def _train_again(self) -> None:
        end, folder = self._end(), self._folder / AGAIN
        self._learning = Learning(self._reader, self._assets, folder, lambda _: None)
        try:
            self._learning.run(end - HISTORY, end)
            self._adopting.adopt(folder)
        except ShopfloorError as problem:
            log.warning("Training again brought nothing: %s", problem)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _end(self) -> int:
        return max(newest(self._reader, self._assets).values(), default=self._clock()) // MINUTE * MINUTE

    def _tell(self, entry: Mapping[str, Any]) -> None:
        """What the training process said."""
        if "progress" in entry:
            self._status = _status("training", entry["progress"], entry["sentence"], entry["cpu_s"])
        elif "cpu_s" in entry:
            self._status = {**self._status, "cpu_s": entry["cpu_s"]}

    def _judge(self) -> None:
        assert self._diary is not None  # noqa: S101 (opened by start)
        several = lines(self._assets)
        recalled(self._folder, several)
        known = (self._registry.scores, self._recent)
        live = Live(self._reader, several, self._serving, self._diary, self._clock, *known)
        self._live = live
        self._status = _status("ready", 1.0, _ready(self._serving.champions()), self._cpu())
        self._saved = self._clock()
        while not self._stop.is_set():
            self._tick(live)
            self._stop.wait(self._every)
        self._save(live)

    def _tick(self, live: Live) -> None:
        changed = live.tick(self._stop.is_set)
        if changed:
            self._changed(changed)
        if self._clock() - self._saved >= _SAVE:
            self._save(live)

    def _changed(self, changed: Sequence[Mapping[str, Any]]) -> None:
        for callback in self._callbacks:
            callback(changed)

    def _save(self, live: Live) -> None:
        keep(self._folder, live.lines)
        self._saved = self._clock()

    def _cpu(self) -> float:
        return float(self._status["cpu_s"])


def _status(state: str, progress: float, sentence: str, cpu_s: float) -> dict[str, Any]:
    return {"state": state, "progress": progress, "sentence": sentence, "cpu_s": cpu_s}


def _ready(champions: Mapping[str, Opened]) -> str:
    cards = [one.bundle.manifest for one in champions.values()]
    idle = [card.title for card in cards if card.state != "ready"]
    judging = counted(len(cards) - len(idle), "model judges", "models judge")
    return f"{judging} live" + (f"; {', '.join(idle)} abstains." if idle else ".")


def _by_target(assets: Sequence[Asset]) -> dict[str, list[str]]:
    """Target -> the paths of the assets that have it."""
    found: dict[str, list[str]] = {}
    for asset in assets:
        for target in TARGETS[asset.type]:
            found.setdefault(target, []).append(str(asset.path))
    return found
