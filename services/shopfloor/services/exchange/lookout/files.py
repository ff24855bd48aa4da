"""The sensor files of one piece of equipment: which there are, and which tag each of their columns is."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TextIO, cast

import pyarrow as pa
from shopfloor.plant import QuestionError, StoreError
from shopfloor.services.exchange.columns import Reading
from shopfloor.services.exchange.csv_in import OWN, CsvInput
from shopfloor.services.exchange.lookout.moments import service_times

REFUSED: Final = ".refused.csv"
_DAY_FIRST: Final = re.compile(rb"(?:\A|\n)[\"']?((?:1[3-9]|2\d|3[01])/\d{1,2}/\d{4})")
_NOT_IN_NAMES: Final = re.compile(r"[/#+*]")


@dataclass(frozen=True, slots=True)
class SensorFile:
    """A file: its path, its `name` below the folder, and its component ("" outside of one)."""

    path: Path
    name: str
    component: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file whose header is understood: what each column is called, and the SHA-256 of its content."""

    file: SensorFile
    names: Mapping[str, str]
    digest: str


def sensor_files(folder: Path, leave_out: Path | None = None) -> list[SensorFile]:
    """The CSV files below a folder by name; a folder in it is a component, and so is a folder in that one."""
    if folder.is_file():
        return [SensorFile(folder, folder.name, "")]
    paths = [path for path in sorted(folder.rglob("*")) if _is_sensor_file(path.relative_to(folder)) and path.is_file()]
    kept = [path for path in paths if leave_out is None or path.resolve() != leave_out.resolve()]
    if not kept:
        raise QuestionError(f"{folder} holds no .csv files: name the folder of one equipment, with its components.")
    return [_sensor_file(path, path.relative_to(folder)) for path in kept]


def sheets(files: Sequence[SensorFile], reading: Reading, delimiter: str = "") -> list[Sheet]:
    """Every file with its header understood; `QuestionError` before anything is stored when columns are not clear."""
    found = [_sheet(file, reading, delimiter) for file in files]
    owners: dict[str, tuple[str, str, str]] = {}
    for sheet in found:
        for column, tag in sheet.names.items():
            owner = (sheet.file.component, column, sheet.file.name)
            if tag != "time" and owners.setdefault(tag, owner)[:2] != owner[:2]:
                _, other, name = owners[tag]
                raise QuestionError(
                    f"{sheet.file.path}: its column {column!r} and {other!r} of {name} would both be {tag}:"
                    " rename one with --map COMPONENT.COLUMN=NEW."
                )
    return found


@contextmanager
def opened_text(path: Path) -> Iterator[tuple[TextIO, BinaryIO]]:
    """The text of a CSV file, and the bytes it comes from (which say how far it was read); `.gz` is unpacked."""
    try:
        with path.open("rb") as file:
            text = io.TextIOWrapper(_unpacked(file, path), "utf-8-sig", errors="surrogateescape", newline="")
            try:
                yield text, file
            finally:
                text.detach()
    except (OSError, EOFError) as problem:
        raise StoreError(f"{path} cannot be read ({problem}): name a CSV file.") from problem


def digest_of(path: Path) -> str:
    """SHA-256 of the content; `QuestionError` when its times begin with the day."""
    digest = hashlib.sha256()
    with opened_text(path) as (_, file):
        raw = _unpacked(file, path)
        while piece := raw.read(1 << 20):
            digest.update(piece)
            if found := _DAY_FIRST.search(piece):
                raise QuestionError(
                    f"{path}: the time {found[1].decode()} begins with its day, the service read the month first:"
                    " write such times as in 2020-12-31."
                )
    return digest.hexdigest()


def is_time(text: str) -> bool:
    """Whether a cell is a time of the service.

    >>> is_time("2020/1/1 0:00"), is_time("Timestamp"), is_time("7")
    (True, False, False)
    """
    try:
        return bool(len(service_times(pa.array([text.strip()]), 1, "UTC")))
    except pa.ArrowInvalid:
        return False


def _unpacked(file: BinaryIO, path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(file)) if path.suffix.lower() == ".gz" else file


def _is_sensor_file(below: Path) -> bool:
    name = below.name.lower()
    hidden = any(part.startswith(".") for part in below.parts)
    return name.endswith((".csv", ".csv.gz")) and not name.endswith(REFUSED) and not hidden


def _sensor_file(path: Path, below: Path) -> SensorFile:
    return SensorFile(path, below.as_posix(), ".".join(below.parts[:-1]))


def _sheet(file: SensorFile, reading: Reading, delimiter: str) -> Sheet:
    digest = digest_of(file.path)
    with opened_text(file.path) as (text, _):
        try:
            header = [name.strip() for name in CsvInput(text, Reading(), delimiter).header]
        except QuestionError as problem:
            raise QuestionError(f"{file.path}: {problem}") from problem
    if is_time(header[0]):
        raise QuestionError(
            f"{file.path} begins with a time, not with the names of its columns: add them,"
            " or name the file with --labels when it lists windows of anomalies."
        )
    columns = [name for name in header if not name.startswith(OWN)]
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise QuestionError(f"{file.path} has several columns {twice[0]!r}: give each a name of its own.")
    return Sheet(file, dict(_named(columns, file.component, reading)), digest)


def _named(columns: Sequence[str], component: str, reading: Reading) -> Iterator[tuple[str, str]]:
    """The column of time is the one that `--map` calls so, or else the first; the others are sensors."""
    clock = next((name for name in columns if reading.names.get(name) == "time"), columns[0])
    yield clock, "time"
    for name in (name for name in columns if name != clock):
        whole = name if component == name or not component else f"{component}.{name}"
        new = reading.names.get(whole, reading.names.get(name, ""))
        yield name, new if "/" in new else f"{reading.asset}/{new or tag_name(whole)}"


def tag_name(text: str) -> str:
    """What a sensor is called as a tag: without what paths and selectors reserve.

    >>> tag_name("pump.Inlet  temp #1")
    'pump.Inlet temp _1'
    """
    return " ".join(_NOT_IN_NAMES.sub("_", text).split())
