"""Any recording is read as columns with times, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shopfloor.plant import Kind
from shopfloor.simulators.recording import RecordingError, read


def written(tmp_path: Path, text: str, name: str = "mill.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def test_numbers_text_and_holes_keep_their_kind(tmp_path: Path) -> None:
    path = written(tmp_path, "power,count,phase,none\n1.5,1,Prep,\n,2,,\nNaN,3,Layer 1,\n")
    recording = read(path)
    assert [(c.name, c.kind, c.cells) for c in recording.columns] == [
        ("power", Kind.FLOAT, [1.5, None, None]),
        ("count", Kind.INT, [1, 2, 3]),
        ("phase", Kind.TEXT, ["Prep", None, "Layer 1"]),
        ("none", Kind.FLOAT, [None, None, None]),
    ]
    assert recording.offsets.tolist() == [0, 100_000_000, 200_000_000]
    assert recording.timing == "one row every 0.1 s"


@pytest.mark.parametrize(
    ("first", "second", "gap", "unit"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01.5Z", 1_500_000_000, "ISO 8601"),
        ("2026-01-01 00:00:00", "2026-01-01 00:00:02", 2_000_000_000, "ISO 8601"),
        ("1700000000", "1700000003", 3_000_000_000, "seconds"),
        ("1700000000.25", "1700000000.5", 250_000_000, "seconds"),
        ("1700000000000", "1700000000100", 100_000_000, "milliseconds"),
        ("1700000000000000000", "1700000000000000007", 7, "nanoseconds"),
        ("0.0", "0.1", 100_000_000, "seconds"),
    ],
)
def test_a_time_column_is_found_and_said(tmp_path: Path, first: str, second: str, gap: int, unit: str) -> None:
    recording = read(written(tmp_path, f"timestamp,a\n{first},1\n{second},2\n"))
    assert recording.offsets.tolist() == [0, gap]
    assert recording.timing == f"column 'timestamp', {unit}"
    assert [column.name for column in recording.columns] == ["a"]


def test_a_german_file_is_read(tmp_path: Path) -> None:
    recording = read(written(tmp_path, "\ufeffLast;Drehzahl\n1,5;200\n2,5;300\n"))
    assert [(c.name, c.cells) for c in recording.columns] == [("Last", [1.5, 2.5]), ("Drehzahl", [200, 300])]


def test_parquet_is_read_and_columns_are_chosen(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    moments = pa.array([0, 5_000_000], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"when": moments, "a": [1.0, 2.0], "b": [True, False], "c": ["x", "y"]}), path)
    recording = read(path, time="when", tags=["b", "a"])
    assert [(c.name, c.kind, c.cells) for c in recording.columns] == [
        ("b", Kind.INT, [1, 0]),
        ("a", Kind.FLOAT, [1.0, 2.0]),
    ]
    assert recording.period == 5_000_000_000


@pytest.mark.parametrize(
    ("name", "content", "options", "sentence"),
    [
        ("no.csv", None, {}, "no.csv does not exist: name a .csv or .parquet file."),
        ("e.csv", "", {}, "has no rows: a recording needs a header and at least one row."),
        ("e.csv", "a,b\n", {}, "has no rows: a recording needs a header and at least one row."),
        ("x.csv", "a,b\n1\n", {}, "x.csv cannot be read as csv"),
        ("x.csv", "PK\0\1\n1\n", {}, "x.csv cannot be read as csv (it holds binary data)"),
        ("x.parquet", "a,b\n1,2\n", {}, "x.parquet cannot be read as parquet"),
        ("x.csv", "a,b\n1,2\n", {"time": "c"}, "has no column 'c' for --time: it has a, b."),
        ("x.csv", "a,b\nx,2\n", {"time": "a"}, "is no time: ISO 8601 or seconds"),
        ("x.csv", "t,b\n2,2\n1,2\n", {}, "Time goes back in column 't' of"),
        ("x.csv", "a,b\n1,2\n", {"tags": ["b", "z"]}, "has no column 'z' for --tags: it has a, b."),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_a_sentence(
    tmp_path: Path, name: str, content: str | None, options: dict[str, object], sentence: str
) -> None:
    path = tmp_path / name if content is None else written(tmp_path, content, name)
    with pytest.raises(RecordingError) as refused:
        read(path, **options)  # type: ignore[arg-type]
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
