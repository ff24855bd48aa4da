"""What the brain reads: the columns of some assets over some time, and how they travel to the training process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

import pyarrow as pa
from shopfloor.models.columns import Steps, columns
from shopfloor.models.inputs import TAGS, TEXTS
from shopfloor.plant.asset import Asset
from shopfloor.plant.errors import StoreError

Tags = dict[str, Steps]


class HistoryReader(Protocol):
    """The two questions the brain asks of a `plant.Reader`."""

    def latest(self, tags: Sequence[str]) -> pa.Table:
        """Newest value of each tag."""
        ...

    def read(self, tags: Sequence[str], start: int, end: int, *, previous: bool = False) -> pa.Table:
        """Every value in [start, end), with `previous` also the one held at `start`."""
        ...


def paths(assets: Sequence[Asset], *, text: bool) -> list[str]:
    """Full paths of the tags the models need of these assets: those of text, or those of numbers."""
    return [f"{a.path}/{name}" for a in assets for name in TAGS.get(a.type, ()) if (name in TEXTS) == text]


def tables(reader: HistoryReader, assets: Sequence[Asset], start: int, end: int, *, previous: bool) -> list[pa.Table]:
    """The numbers and the texts of these assets; read apart, because texts are few and slow."""
    asked = (paths(assets, text=False), paths(assets, text=True))
    return [reader.read(tags, start, end, previous=previous) for tags in asked]


def read(reader: HistoryReader, assets: Sequence[Asset], start: int, end: int, *, previous: bool) -> dict[str, Tags]:
    """Asset path -> tag name -> steps."""
    found: dict[str, Tags] = {}
    for table in tables(reader, assets, start, end, previous=previous):
        for asset, tags in columns(table).items():
            found.setdefault(asset, {}).update(tags)
    return found


def send(out: BinaryIO, header: dict[str, object], several: Sequence[pa.Table]) -> None:
    """One asset to the training process: a line of JSON, then Arrow IPC streams of the lengths it names."""
    streams = [_bytes(table) for table in several]
    line = json.dumps({**header, "bytes": [len(stream) for stream in streams]}) + "\n"
    out.write(line.encode())
    for stream in streams:
        out.write(stream)
    out.flush()


def receive(source: BinaryIO) -> Iterator[tuple[dict[str, object], Tags]]:
    """What `send` wrote, until the end; a stream that breaks off raises `StoreError`."""
    while line := source.readline():
        header = json.loads(line)
        tags: Tags = {}
        for length in header["bytes"]:
            data = source.read(length)
            if len(data) != length:
                raise StoreError("The history for training broke off: start the server again to train.")
            with pa.ipc.open_stream(pa.py_buffer(data)) as stream:
                tags.update(columns(stream.read_all()).get(header["asset"], {}))
        yield header, tags


def _bytes(table: pa.Table) -> memoryview:
    table = table.unify_dictionaries().combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return memoryview(sink.getvalue())
