"""`shopfloor export`: values of a store into a file, while its server runs on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from shopfloor.plant import QuestionError, StoreError
from shopfloor.plant.counted import counted
from shopfloor.services.commands.progress import Progress
from shopfloor.services.exchange.moments import moment
from shopfloor.services.exchange.outputs import OUTPUTS, SUFFIXES, Output
from shopfloor.services.exchange.recorded import recorded
from shopfloor.services.historian.care.snapshot import held
from shopfloor.services.historian.selector import Selector

_END: Final = 1 << 62


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("file", help="a new file; - writes to standard output")
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="data folder of the server")
    parser.add_argument(
        "--tags", action="append", metavar="SELECTOR", help="paths or their beginnings, * for any part; may be repeated"
    )
    parser.add_argument("--start", default="1970-01-01", metavar="TIME", help="from, as in 2026-01-31T06:00:00Z")
    parser.add_argument("--end", metavar="TIME", help="up to, without it (default: the end)")
    parser.add_argument("--format", choices=OUTPUTS, help="default: by the file's name; csv to standard output")


def run(args: argparse.Namespace) -> int:
    """Write the values; 1 when some could not be read, named one by one."""
    form, start = form_of(args), moment(args.start)
    end = _END if args.end is None else moment(args.end)
    with held(args.data / "store") as snapshot:
        source = recorded(snapshot)
        ids = _chosen(source.names, args.tags)
        with opened(args.file) as out, Progress("Exporting", "values") as told:
            output: Output = OUTPUTS[form](out, [source.names[id_] for id_ in ids])
            done = 0
            total = source.estimate(ids, start, end)
            for kind, rows in source.portions(ids, start, end):
                output.write(kind, rows)
                done += len(rows)
                told(done, max(done, total))
            output.finish()
        sys.stderr.write(f"{counted(done, 'value')} of {counted(len(ids), 'tag')}.\n")
        return _faults([snapshot.told(fault) for fault in source.faults()])


def form_of(args: argparse.Namespace) -> str:
    """The form of a file, as asked or by its name."""
    form = args.format or ("csv" if args.file == "-" else SUFFIXES.get(Path(args.file).suffix))
    if form is None:
        raise QuestionError(f"{args.file} ends neither in .csv nor .parquet nor .lp: say --format.")
    return str(form)


def _chosen(names: list[str], selectors: list[str] | None) -> list[int]:
    """Ids of the selected tags, sorted by path."""
    chosen = set(names) if not selectors else {n for text in selectors for n in Selector(text).choose(names)}
    if names and not chosen:
        raise QuestionError(f"{' '.join(selectors or ())} selects none of the {len(names)} tags of this store.")
    return [id_ for id_, name in sorted(enumerate(names), key=lambda entry: entry[1]) if name in chosen]


def _faults(sentences: list[str]) -> int:
    for sentence in sentences:
        sys.stderr.write(f"Not exported: {sentence}\n")
    return int(bool(sentences))


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """Standard output, or a file that is there when it is complete."""
    if name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    file = Path(name)
    part = file.with_name(f"{file.name}.part")
    try:
        if file.exists():
            raise StoreError(f"{file} is there already: name a new file.")
        with part.open("wb") as out:
            yield out
        part.rename(file)
    except OSError as problem:
        raise StoreError(f"{file} cannot be written ({problem.strerror}): free space, or name another.") from problem
    finally:
        part.unlink(missing_ok=True)
