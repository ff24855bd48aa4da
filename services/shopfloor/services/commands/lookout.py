"""`shopfloor import --format lookout`: a folder of Lookout for Equipment into a server or a store."""

from __future__ import annotations

import argparse
import hashlib
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

from shopfloor.plant import AssetPath, Batch, Kind, QuestionError
from shopfloor.plant.counted import counted
from shopfloor.services.commands.bringing import DoorFor, asked, doors, reading_of
from shopfloor.services.commands.progress import Progress
from shopfloor.services.exchange.columns import Reading
from shopfloor.services.exchange.csv_in import CsvInput
from shopfloor.services.exchange.doors import Door
from shopfloor.services.exchange.importing import Aside, Outcome, bring_in
from shopfloor.services.exchange.lookout.files import (
    REFUSED,
    SensorFile,
    Sheet,
    digest_of,
    opened_text,
    sensor_files,
    sheets,
    tag_name,
)  # fmt: skip
from shopfloor.services.exchange.lookout.labels import LABEL, LabelsInput
from shopfloor.services.exchange.lookout.moments import service_times

_SHOWN: Final = 20


@dataclass(slots=True)
class Tally:
    """What came in up to now: values of all files, their tags, the earliest time (UTC ns), and where it stands."""

    told: Progress
    total_bytes: int
    outcome: Outcome = field(default_factory=Outcome)
    tags: set[str] = field(default_factory=set)
    earliest: int | None = None
    read_bytes: int = 0

    def add(self, name: str, outcome: Outcome) -> None:
        """Count a file whose lines are named `name`."""
        self.outcome.stored += outcome.stored
        self.outcome.repeated += outcome.repeated
        self.outcome.refused += outcome.refused
        self.outcome.reasons += tuple(f"{name} {reason}" for reason in outcome.reasons)

    def tell(self, accepted: int, file: BinaryIO) -> None:
        """Show how far it is, by the bytes that were read."""
        done = self.outcome.stored + self.outcome.repeated + accepted
        read = self.read_bytes + (0 if file.closed else file.tell())
        self.told(done, int(done * self.total_bytes / read) if read else 0)


@dataclass(frozen=True, slots=True)
class Noticed:
    """A door that remembers which tags went through, and since when."""

    door: Door
    tally: Tally

    def store(self, sequence: int, accepted: int, batch: Batch) -> bool:
        """Store it, and remember."""
        known = self.door.store(sequence, accepted, batch)
        self.tally.tags.update(batch.names)
        first = int(batch.time.min())
        self.tally.earliest = first if self.tally.earliest is None else min(first, self.tally.earliest)
        return known


def run(args: argparse.Namespace) -> int:
    """Bring the folder in, say what became of it; 1 when lines were refused."""
    reading = _reading(args)
    given = sheets(sensor_files(Path(args.file), args.labels), reading, args.delimiter)
    label_digest = "" if args.labels is None else digest_of(args.labels)
    with ExitStack() as stack:
        door_for = stack.enter_context(doors(args))
        told = stack.enter_context(Progress("Importing", "values"))
        tally = Tally(told, sum(sheet.file.path.stat().st_size for sheet in given))
        for sheet in given:
            _values(args, sheet, replace(reading, names=sheet.names), door_for, tally)
        windows = _labels(args, reading, label_digest, door_for, tally) if args.labels else ""
    return _say(tally, len(given), reading.asset, windows)


def _reading(args: argparse.Namespace) -> Reading:
    if not Path(args.file).exists():
        raise QuestionError(f"There is no {args.file}: name the folder of one equipment, with its components.")
    reading = reading_of(args)
    asset = reading.asset or tag_name(Path(args.file).resolve().name.partition(".")[0])
    if "/" not in asset:
        asset = f"{args.site}/{args.bucket}/lookout/equipment/{asset}"
    AssetPath.parse(asset)
    return replace(reading, asset=asset, kind=reading.kind or Kind.FLOAT, read_times=service_times)


def _values(args: argparse.Namespace, sheet: Sheet, reading: Reading, door_for: DoorFor, tally: Tally) -> None:
    door = Noticed(door_for(_name(args, sheet.digest, reading), sheet.file.name[-200:]), tally)
    with (
        Aside(_beside(args.refused, sheet.file)) as aside,
        opened_text(sheet.file.path) as (text, file),
    ):
        source = CsvInput(text, reading, args.delimiter)
        outcome = bring_in(source, door, aside, lambda accepted: tally.tell(accepted, file))
    _set_aside(outcome, aside.file)
    tally.add(sheet.file.name, outcome)
    tally.read_bytes += sheet.file.path.stat().st_size


def _labels(args: argparse.Namespace, reading: Reading, digest: str, door_for: DoorFor, tally: Tally) -> str:
    """Store the windows, and say how many they are."""
    file = SensorFile(args.labels, args.labels.name, "")
    tag = f"{reading.asset}/{LABEL}"
    name = _name(args, f"{digest} {tally.earliest}", reading)
    with Aside(_beside(args.refused, file)) as aside, opened_text(file.path) as (text, _):
        source = LabelsInput(text, tag, args.zone, tally.earliest)
        outcome = bring_in(source, door_for(name, file.name[-200:]), aside, lambda _: None)
    _set_aside(outcome, aside.file)
    tally.add(file.name, outcome)
    together = f" ({source.joined:,} overlap or touch another and were joined)" if source.joined else ""
    return f"{counted(source.windows, 'window')} of labels{together}: {tag} is 1 within, 0 outside.\n"


def _name(args: argparse.Namespace, digest: str, reading: Reading) -> str:
    """The same content, understood in the same way, has the same name: it is stored once."""
    names = sorted(reading.names.items())
    whole = hashlib.sha256(repr((digest, asked(args), reading.asset, names)).encode())
    return f"import-{whole.hexdigest()[:16]}"


def _beside(folder: Path | None, file: SensorFile) -> Path:
    if folder is None:
        return file.path.with_name(file.path.name.removesuffix(".gz") + REFUSED)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / (file.name.replace("/", ".").removesuffix(".gz") + REFUSED)


def _set_aside(outcome: Outcome, file: Path) -> None:
    if outcome.refused:
        sys.stderr.write(f"{counted(outcome.refused, 'line')} refused and written into {file}.\n")


def _say(tally: Tally, files: int, asset: str, windows: str) -> int:
    outcome = tally.outcome
    before = f", {outcome.repeated:,} were stored before" if outcome.repeated else ""
    sys.stdout.write(
        f"{counted(outcome.stored, 'value')} stored{before}:"
        f" {counted(len(tally.tags), 'tag')} of {asset} from {counted(files, 'file')}.\n{windows}"
    )
    for reason in outcome.reasons[:_SHOWN]:
        sys.stderr.write(f"{reason}\n")
    if outcome.refused:
        sys.stderr.write(
            f"{outcome.refused:,} lines were refused: correct them in their files and import the folder again.\n"
        )
    return int(outcome.refused > 0)
