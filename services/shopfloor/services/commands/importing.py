"""`shopfloor import`: values of files into a running server or a store that stands still."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from shopfloor.plant import Kind, QuestionError, StoreError
from shopfloor.plant.counted import counted
from shopfloor.services.commands import lookout
from shopfloor.services.commands.bringing import asked, doors, reading_of
from shopfloor.services.commands.progress import Progress
from shopfloor.services.exchange.columns import Reading
from shopfloor.services.exchange.csv_in import CsvInput
from shopfloor.services.exchange.importing import Aside, Input, Outcome, bring_in
from shopfloor.services.exchange.lines_in import LinesInput
from shopfloor.services.exchange.moments import UNITS
from shopfloor.services.exchange.parquet_in import ParquetInput

_FORMS: Final = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".lp": "lines", ".line": "lines"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    add = parser.add_argument
    add(
        "file",
        help="CSV, Parquet or line protocol (.lp), text also .gz; - is standard input; with --format lookout a folder",
    )
    add("--data", type=Path, default=Path("data"), metavar="DIR", help="data folder of the server (default: data)")
    add("--url", help="bring it in through this running server, as in http://127.0.0.1:8000")
    add("--token-file", type=Path, metavar="FILE", help="gateway token (default: that of --data)")
    add("--format", choices=("csv", "parquet", "lines", "lookout"), help="default: by the end of its name")
    add(
        "--map",
        action="append",
        default=[],
        metavar="NAME=NEW",
        help="call a column or tag otherwise; repeatable",
    )
    add(
        "--asset",
        default="",
        metavar="PATH",
        help="asset of tags that are no whole path",
    )
    add("--labels", type=Path, metavar="FILE", help="windows of anomalies, only with --format lookout")
    add("--kind", choices=list(Kind), help="of values that do not say theirs (default: numbers float64, all else text)")
    add("--unit", choices=UNITS, default="ns", help="of times that are whole numbers (default: ns since 1970)")
    add("--zone", default="UTC", metavar="ZONE", help="of times that name none, as in Asia/Shanghai (default: UTC)")
    add("--delimiter", default="", metavar="C", help="of a CSV file (default: what its first line has most of)")
    add("--decimal", default=".", metavar="C", help="decimal sign (default: .)")
    add("--site", default="site", help="first level of lines of line protocol that are no tags of a plant")
    add("--bucket", default="import", help="second level of those lines (default: import)")
    add("--refused", type=Path, metavar="FILE", help="where refused lines go, for a folder a folder (default: beside)")


def run(args: argparse.Namespace) -> int:
    """Bring it in, say what became of it; 1 when lines were refused."""
    if args.format == "lookout":
        return lookout.run(args)
    if args.labels is not None:
        raise QuestionError("--labels goes with --format lookout: import a file of values without it.")
    reading = reading_of(args)
    with ExitStack() as stack:
        file = stack.enter_context(_opened(args.file))
        name, source = _name(args, file), Path(args.file).name[:200]
        door = stack.enter_context(doors(args))(name, "stdin" if args.file == "-" else source)
        total = _size(file)
        told = stack.enter_context(Progress("Importing", "values"))
        aside = stack.enter_context(Aside(args.refused or _beside(args.file)))
        position = _Position(file, total, told)
        outcome = bring_in(stack.enter_context(_input(args, file, reading)), door, aside, position)
    return _say(outcome, aside.file)


class _Position:
    """Progress in values, with a total guessed from how far the file was read."""

    def __init__(self, file: BinaryIO, total: int, told: Progress) -> None:
        self._file, self._total, self._told = file, total, told

    def __call__(self, done: int) -> None:
        read = self._file.tell() if self._total and not self._file.closed else 0
        self._told(done, int(done * self._total / read) if read else 0)


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(name).open("rb") as file:
            yield file
    except OSError as problem:
        raise StoreError(f"{name} cannot be read ({problem.strerror}): name a file.") from problem


def _size(file: BinaryIO) -> int:
    return file.seek(0, io.SEEK_END) - file.seek(0) if file.seekable() else 0


def _name(args: argparse.Namespace, file: BinaryIO) -> str:
    """The same file, understood in the same way, has the same name: what it brought before is not stored twice."""
    if not file.seekable():
        return f"import-{secrets.token_hex(8)}"
    digest = hashlib.sha256()
    while piece := file.read(1 << 20):
        digest.update(piece)
    digest.update(repr((*asked(args), args.site, args.bucket)).encode())
    file.seek(0)
    return f"import-{digest.hexdigest()[:16]}"


@contextmanager
def _input(args: argparse.Namespace, file: BinaryIO, reading: Reading) -> Iterator[Input]:
    suffixes = [suffix for suffix in Path(args.file).suffixes if suffix != ".gz"]
    form = args.format or _FORMS.get(suffixes[-1] if suffixes else ".csv")
    if form is None:
        raise QuestionError(f"{args.file} ends neither in .csv nor .parquet nor .lp: say --format.")
    if form == "parquet":
        yield ParquetInput(Path(args.file), reading)
        return
    raw: Any = gzip.open(file) if args.file.endswith(".gz") else file  # noqa: SIM115 (closed with the file)
    if form == "lines":
        yield LinesInput(raw, reading.unit, args.site, args.bucket)
        return
    text = io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield CsvInput(text, reading, args.delimiter)
    finally:
        text.detach()


def _beside(name: str) -> Path:
    name = "stdin.csv" if name == "-" else name.removesuffix(".gz")
    return Path(f"{name}.refused{'.lp' if _FORMS.get(Path(name).suffix) == 'lines' else '.csv'}")


def _say(outcome: Outcome, aside: Path) -> int:
    before = f", {outcome.repeated:,} were stored before" if outcome.repeated else ""
    sys.stdout.write(f"{counted(outcome.stored, 'value')} stored{before}.\n")
    for reason in outcome.reasons:
        sys.stderr.write(f"{reason}\n")
    if outcome.refused:
        sys.stderr.write(f"{outcome.refused:,} lines were refused: they are in {aside}, correct and import that.\n")
    return int(outcome.refused > 0)
