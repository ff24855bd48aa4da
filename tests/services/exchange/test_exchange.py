"""Export and import: what went out comes back to the nanosecond, the bit and the quality; what is wrong is named."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from running_server import POWER, running
from shopfloor.plant import Batch, Kind, Sample
from shopfloor.services.cli import main
from shopfloor.services.exchange.recorded import recorded
from shopfloor.services.historian import Historian, Options
from shopfloor.services.historian.care.snapshot import held

CNC = "delta/frames/machining/cell-a/cnc-01"
NOON = 20_000 * 86_400_000_000_000 + 43_200_000_000_000
QUIET = Options(reserve_bytes=0, group_rows=500)
FLOATS = [0.1, -0.0, 5e-324, 1.7976931348623157e308, float("nan"), float("inf"), float("-inf"), 1 / 3, 100.0]
INTS = [0, -1, 2**63 - 1, -(2**63), 2**53 + 1]
TEXTS = [
    "",
    " ",
    'a "quoted", text',
    "two\nlines\r\n",
    "\u5de5\u4f4d\u4e00 \U0001f527",
    "nan",
    "1.0",
    "tab\t,;|",
    "# no comment",
]


def samples() -> list[list[Sample]]:
    """Every awkward value, with qualities and times to the nanosecond, over two days."""
    qualities = [0, 0x80000000, 0x40000000, 0x80340000]
    day = 86_400_000_000_000
    return [
        [
            Sample(f"{CNC}/{name}", NOON + (i % 2) * day + i * 1_000_000_007, value, qualities[i % 4])
            for i, value in enumerate(values)
        ]
        for name, values in (("power", FLOATS), ("count", INTS), ("state", TEXTS))
    ]


def made(data: Path) -> None:
    """Values in segments and in the log; one tag has had two kinds."""
    with Historian.open(data / "store", options=QUIET) as store:
        sequence = accepted = 0
        for part in [*samples(), [Sample(f"{CNC}/power", NOON + 5, 7)]]:
            batch = Batch.of(part)
            sequence, accepted = sequence + 1, accepted + len(batch)
            store.ingest("edge", sequence, "s", accepted, batch)
            if sequence == 2:
                store.flush()


def everything(data: Path) -> list[tuple[str, str, int, object, int]]:
    """(tag, kind, time, value by its bits, quality) of all that a store holds."""
    with held(data / "store") as snapshot:
        source = recorded(snapshot)
        ids = list(range(len(source.names)))
        rows = []
        for kind, part in source.portions(ids, 0, 1 << 62):
            values = part.value.view(np.int64) if kind is Kind.FLOAT else part.value
            columns = (part.tag.tolist(), part.time.tolist(), values.tolist(), part.quality.tolist())
            rows += [(source.names[t], kind.value, at, v, q) for t, at, v, q in zip(*columns, strict=True)]
        assert source.faults() == []
    return sorted(rows, key=repr)


@pytest.mark.parametrize("name", ["all.csv", "all.parquet"])
def test_what_went_out_comes_back_to_the_last_bit(tmp_path: Path, name: str) -> None:
    made(tmp_path / "one")
    (tmp_path / "two").mkdir()
    assert main(["export", str(tmp_path / name), "--data", str(tmp_path / "one")]) == 0
    assert main(["import", str(tmp_path / name), "--data", str(tmp_path / "two")]) == 0
    assert everything(tmp_path / "two") == everything(tmp_path / "one")
    assert len(everything(tmp_path / "one")) == len(FLOATS) + len(INTS) + len(TEXTS) + 1


def test_a_repeated_import_stores_nothing_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path / "one")
    with running(tmp_path / "two") as server:
        assert main(["export", str(tmp_path / "all.csv"), "--data", str(tmp_path / "one")]) == 0
        command = ["import", str(tmp_path / "all.csv"), "--url", server.url, "--data", str(tmp_path / "two")]
        assert main(command) == 0
        assert "24 values stored.\n" in capsys.readouterr().out
        assert main(command) == 0
        assert "0 values stored, 24 were stored before" in capsys.readouterr().out
        assert server.parts.historian.stats()["rows"] == 24
        (account,) = server.get("/ledger")["sources"]
        assert (account["source"], account["stored"], account["balanced"]) == ("all.csv", 24, True)
        assert everything(tmp_path / "two") == everything(tmp_path / "one"), "beside the running server"


def test_only_what_was_asked_for_is_exported(tmp_path: Path) -> None:
    made(tmp_path)
    start, end = str(np.datetime64(NOON, "ns")) + "Z", str(np.datetime64(NOON + 6, "ns"))
    command = [
        sys.executable,
        "-m",
        "shopfloor.services.cli",
        "export",
        "-",
        "--data",
        str(tmp_path),
        "--tags",
        f"{CNC}/power",
    ]
    done = subprocess.run([*command, "--start", start, "--end", end], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "time,tag,value,quality,kind",
        f'2024-10-04 12:00:00.000000000Z,"{CNC}/power",0.1,0,"float64"',
        f'2024-10-04 12:00:00.000000005Z,"{CNC}/power",7,0,"int64"',
    ]
    assert done.stderr == "2 values of 1 tag.\n"


def test_line_protocol_goes_out_as_the_mirror_writes_it(tmp_path: Path) -> None:
    made(tmp_path)
    assert main(["export", str(tmp_path / "all.lp"), "--data", str(tmp_path), "--tags", f"{CNC}/count"]) == 0
    lines = (tmp_path / "all.lp").read_text().splitlines()
    assert f"count,site=delta,area=frames,line=machining,cell=cell-a,asset=cnc-01 integer=0i,quality=0i {NOON}" in lines
    assert len(lines) == len(INTS)


def test_line_protocol_comes_back_but_for_what_it_cannot_say(tmp_path: Path, empty: Path) -> None:
    made(tmp_path / "one")
    assert main(["export", str(tmp_path / "all.lp"), "--data", str(tmp_path / "one")]) == 0
    assert brought(tmp_path / "all.lp", empty) == 0
    nan = int(np.float64(np.nan).view(np.int64))
    infinite = {int(np.float64(sign * np.inf).view(np.int64)) for sign in (1, -1)}
    expected = [(*row[:3], nan if row[3] in infinite else row[3], row[4]) for row in everything(tmp_path / "one")]
    assert everything(empty) == sorted(expected, key=repr)


def test_wrong_lines_of_line_protocol_are_all_set_aside(
    tmp_path: Path, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "telegraf.lp"
    lines = [
        f"cpu,host=a usage={number} {number}" if number % 2 else f"cpu,host=a usage= {number}" for number in range(500)
    ]
    file.write_text("\n".join(lines))
    assert brought(file, empty, "--unit", "s", "--site", "delta", "--bucket", "telegraf") == 1
    assert "250 values stored" in capsys.readouterr().out
    aside = (tmp_path / "telegraf.lp.refused.lp").read_text()
    assert aside.count("\ncpu,host=a usage= ") == 250
    assert "# line 499: " in aside
    assert {row[0] for row in everything(empty)} == {"delta/telegraf/influx/cpu/host=a/usage"}
    (tmp_path / "again.lp").write_text(aside.replace("usage= ", "usage=0 "))
    assert brought(tmp_path / "again.lp", empty, "--unit", "s", "--site", "delta", "--bucket", "telegraf") == 0
    assert len(everything(empty)) == 500


def test_large_exports_come_in_portions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from shopfloor.services.exchange import recorded as module

    rows = np.arange(40_000, dtype=np.int64)
    tags = tuple(f"{CNC}/t{i}" for i in range(4))
    batch = Batch(
        tags, (rows % 4).astype(np.int32), NOON + rows * 3_000_000_000, rows * 0.5, (rows % 3).astype(np.uint32)
    )
    with Historian.open(tmp_path / "store", options=QUIET) as store:
        store.ingest("edge", 1, "s", len(batch), batch)
        store.flush()
    whole = everything(tmp_path)
    monkeypatch.setattr(module, "PORTION", 3_000)
    with held(tmp_path / "store") as snapshot:
        sizes = [len(part) for _, part in recorded(snapshot).portions([0, 1, 2, 3], 0, 1 << 62)]
    assert max(sizes) < 6_000
    assert everything(tmp_path) == whole


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def brought(file: Path, data: Path, *options: str) -> int:
    return main(["import", str(file), "--data", str(data), *options])


def test_wrong_lines_are_named_counted_and_set_aside(
    tmp_path: Path, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mixed.csv"
    file.write_text(
        f"time,tag,value,quality\n"
        f"2026-01-31T12:00:00.000000001Z,{CNC}/a,1.5,0\n"
        f"yesterday,{CNC}/a,1.5,0\n"
        f'2026-01-31T12:00:01Z,{CNC}/b,"two\nlines",good\n'
        f"2026-01-31T12:00:02Z,{CNC}/a,,0\n"
        f"2026-01-31T12:00:03Z,not a path,1,0\n"
        f"2026-01-31T12:00:04Z,{CNC}/a,2,0x80000000\n"
        f"2026-01-31T12:00:05Z,{CNC}/a,2,splendid\n"
        f"1969-01-31T12:00:05Z,{CNC}/a,2,0\n"
        f"2026-01-31T12:00:06Z,{CNC}/a\n",
        "utf-8",
    )
    assert brought(file, empty) == 1
    said = capsys.readouterr()
    assert "3 values stored" in said.out
    assert "6 lines were refused: they are in" in said.err
    assert "line 3: the time 'yesterday' cannot be read" in said.err
    aside = (tmp_path / "mixed.csv.refused.csv").read_text("utf-8")
    numbers = [row["refused_line"] for row in csv.DictReader(io.StringIO(aside))]
    assert numbers == ["3", "6", "7", "9", "10", "11"]
    assert everything(empty)[0] == (f"{CNC}/a", "float64", 1769860800000000001, np.float64(1.5).view(np.int64), 0)
    corrected = aside.replace("yesterday", "2026-01-31T12:00:09Z").replace("not a path", f"{CNC}/c")
    (tmp_path / "again.csv").write_text(corrected, "utf-8")
    assert brought(tmp_path / "again.csv", empty) == 1
    assert "2 values stored" in capsys.readouterr().out


def test_wide_files_of_another_world(tmp_path: Path, empty: Path) -> None:
    """Semicolons, decimal commas, local times without a zone, a BOM, Windows line ends, own names, empty cells."""
    file = tmp_path / "wide.csv"
    text = (
        "Zeitstempel;Leistung;Zustand\r\n31\r\n2026-07-01 08:00:00;1,5;L\u00e4uft\r\n"
        "2026-07-01 08:00:01;;Steht\r\n2026-03-29 02:30:00;2;x\r\n"
    )
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    options = [
        "--asset",
        CNC,
        "--map",
        "Zeitstempel=time",
        "--map",
        "Leistung=power",
        "--decimal",
        ",",
        "--zone",
        "Europe/Berlin",
    ]
    assert brought(file, empty, *options) == 1
    found = [(tag, kind, time, value) for tag, kind, time, value, _ in everything(empty)]
    eight = 1782885600000000000
    assert found == [
        (f"{CNC}/Zustand", "text", eight, "L\u00e4uft"),
        (f"{CNC}/Zustand", "text", eight + 1_000_000_000, "Steht"),
        (f"{CNC}/power", "float64", eight, np.float64(1.5).view(np.int64)),
    ]
    aside = Path(f"{file}.refused.csv").read_text("utf-8")
    assert "no such time in its zone" in aside
    assert "it has 1 columns, the header 3" in aside


def test_wide_parquet_of_a_notebook(tmp_path: Path, empty: Path) -> None:
    at = pa.array([NOON, NOON + 1], pa.int64()).view(pa.timestamp("ns"))
    table = pa.table({
        "when": at, "power": pa.array([1.5, None], pa.float32()), "count": pa.array([1, 2], pa.int16()),
        "on": [True, False], "state": ["IDLE", None],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "wide.parquet")
    assert brought(tmp_path / "wide.parquet", empty, "--map", "when=time", "--asset", CNC) == 0
    found = [(tag.rpartition("/")[2], kind, time - NOON) for tag, kind, time, _, _ in everything(empty)]
    assert found == [
        ("count", "int64", 0), ("count", "int64", 1), ("on", "float64", 0), ("on", "float64", 1),
        ("power", "float64", 0), ("state", "text", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "begins with no header"),
        (b"a,b\n1,2\n", "name neither time, tag and value nor time and tags"),
        (b"time,tag,value\n", ""),
    ],
)
def test_files_that_are_none(
    tmp_path: Path, empty: Path, capsys: pytest.CaptureFixture[str], content: bytes, sentence: str
) -> None:
    file = tmp_path / "odd.csv"
    file.write_bytes(content)
    assert brought(file, empty) == (2 if sentence else 0)
    assert sentence in capsys.readouterr().err


def test_bytes_that_are_no_text_are_refused_and_the_rest_is_stored(tmp_path: Path, empty: Path) -> None:
    file = tmp_path / "odd.csv"
    good = f"2026-01-31T12:00:00Z,{CNC}/a,1\n".encode()
    file.write_bytes(
        b"time,tag,value\n" + good + b"2026-01-31T12:00:01Z," + CNC.encode() + b"/a,\xff\xfe\n\0,\0\n" + good
    )
    assert brought(file, empty) == 1
    assert len(everything(empty)) == 1


def test_a_part_that_is_no_text_at_all_ends_nothing(
    tmp_path: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shopfloor.services.exchange.csv_in.ROWS", 2)
    file = tmp_path / "odd.csv"
    lines = [b"\xff" if 2 <= number < 6 else b"1" for number in range(8)]
    rows = (f"2026-01-31T12:00:0{n}Z,{CNC}/a,".encode() + value for n, value in enumerate(lines))
    file.write_bytes(b"\n".join([b"time,tag,value", *rows]))
    assert brought(file, empty) == 1
    assert len(everything(empty)) == 4


def test_a_wrong_token_and_no_server_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "one.csv"
    file.write_text(f"time,tag,value\n2026-01-31T12:00:00Z,{POWER},1\n")
    (tmp_path / "wrong").write_text("wrong\n")
    with running(tmp_path / "data") as server:
        assert brought(file, tmp_path / "data", "--url", server.url, "--token-file", str(tmp_path / "wrong")) == 2
        assert "The gateway token is not the one of this server" in capsys.readouterr().err
        assert brought(file, tmp_path / "data") == 2
        assert "is in use by process" in capsys.readouterr().err
    assert brought(file, tmp_path / "data", "--unit", "s") == 0


def test_standard_input(tmp_path: Path, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"time,tag,value\n1769860800,{POWER},1\n1769860801,{POWER},2\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(_Pipe(text.encode()))))
    assert main(["import", "-", "--data", str(empty), "--unit", "s", "--refused", str(tmp_path / "aside")]) == 0
    assert [row[2] for row in everything(empty)] == [1769860800_000000000, 1769860801_000000000]


class _Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False
