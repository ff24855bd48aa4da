"""A folder of Lookout for Equipment: what it holds comes in once, its labels too, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from running_server import running
from shopfloor.plant import Kind
from shopfloor.services.cli import main
from shopfloor.services.exchange.lookout.moments import service_times
from shopfloor.services.exchange.recorded import recorded
from shopfloor.services.historian import Calendar, open_folder, time_in_state
from shopfloor.services.historian.care.snapshot import held

PUMP = "delta/utilities/water/station-1/pump-01"
NEW_YEAR = 1_577_836_800_000_000_000
MINUTES = 60_000_000_000


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pump as the service's own documentation lays one out: a folder per component, times in several of its forms."""
    pump = tmp_path / "pump-01"
    write(pump / "motor" / "h1.csv", "Timestamp,Current,Temp\n2020/1/1 0:00,2,12\n2020/1/1 0:05,3,11\n")
    write(pump / "motor" / "h2.csv", "Timestamp,Current,Temp\n2020-07-01-00-00-00,4,\n2020-07-01-00-05-00,5,10\n")
    write(pump / "impeller" / "all.csv", "Time,Temp\n1577836800,50.5\n1577837100,51\n")
    write(pump / "Flow" / "Flow.csv", "Timestamp,Flow\n2020-01-01T00:00:00.000000,7\n")
    write(tmp_path / "labels.csv", "1/1/2020 0:05,1/3/2020 0:00\n2020-02-02 00:05:00,2020-02-07 00:05:00\n")
    (tmp_path / "data").mkdir()
    return pump


def brought(folder: Path, *options: str) -> int:
    data = ["--data", str(folder.parent / "data"), "--asset", PUMP]
    return main(["import", str(folder), "--format", "lookout", *data, *options])


def stored(data: Path) -> dict[str, list[tuple[int, float | int | str]]]:
    """(time since 2020, value) of each tag, each (tag, time) once."""
    with open_folder(data / "store") as opened:
        table = opened.reader.read(opened.reader.tags(), 0, 1 << 62)
    found: dict[str, list[tuple[int, float | int | str]]] = {}
    times = table.column("time").cast(pa.int64()).to_pylist()
    for tag, time, value in zip(table.column("tag").to_pylist(), times, table.column("value").to_pylist(), strict=True):
        found.setdefault(str(tag).removeprefix(f"{PUMP}/"), []).append((time - NEW_YEAR, value))
    return found


def test_components_become_tags_of_the_asset(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert brought(folder) == 0
    assert f"10 values stored: 4 tags of {PUMP} from 4 files.\n" in capsys.readouterr().out
    july = 182 * 24 * 60 * MINUTES
    assert stored(folder.parent / "data") == {
        "Flow": [(0, 7.0)],
        "impeller.Temp": [(0, 50.5), (5 * MINUTES, 51.0)],
        "motor.Current": [(0, 2.0), (5 * MINUTES, 3.0), (july, 4.0), (july + 5 * MINUTES, 5.0)],
        "motor.Temp": [(0, 12.0), (5 * MINUTES, 11.0), (july + 5 * MINUTES, 10.0)],
    }


def test_windows_of_labels_are_a_tag_whose_time_in_state_is_theirs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert brought(folder, "--labels", str(folder.parent / "labels.csv")) == 0
    assert f"2 windows of labels: {PUMP}/anomaly.labelled is 1 within, 0 outside.\n" in capsys.readouterr().out
    with open_folder(folder.parent / "data" / "store") as opened:
        march = int(np.datetime64("2020-03-01", "ns").astype(np.int64))
        days = Calendar("UTC").periods("month", NEW_YEAR, march)
        table = time_in_state(opened.reader, [f"{PUMP}/anomaly.labelled"], days)
    labelled = {row["time"].month: row["seconds"] for row in table.to_pylist() if row["state"] == "1"}
    assert labelled == {1: 2 * 86_400 - 300, 2: 5 * 86_400}
    assert all(row["state"] is not None for row in table.to_pylist()), "normal since the first value"


def test_a_repeated_import_through_a_server_stores_nothing_twice(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.joinpath("Flow").rename(folder / "Durchfluß 流量")
    labels = ("--labels", str(folder.parent / "labels.csv"))
    with running(folder.parent / "data") as server:
        assert brought(folder, "--url", server.url, *labels) == 0
        assert "15 values stored: " in capsys.readouterr().out
        assert brought(folder, "--url", server.url, *labels) == 0
        assert "0 values stored, 15 were stored before: " in capsys.readouterr().out
        write(folder / "motor" / "h3.csv", "Timestamp,Current\n2020-08-01 00:00:00,6\n")
        assert brought(folder, "--url", server.url, *labels) == 0
        assert "1 value stored, 15 were stored before: " in capsys.readouterr().out
        accounts = server.get("/ledger")["sources"]
    assert sum(account["stored"] for account in accounts) == 16
    assert all(account["balanced"] for account in accounts)
    assert {"motor/h1.csv", "motor/h3.csv", "labels.csv"} <= {account["source"] for account in accounts}


def test_every_value_was_stored_as_a_number(folder: Path) -> None:
    assert brought(folder) == 0
    with held(folder.parent / "data" / "store") as snapshot:
        source = recorded(snapshot)
        kinds = {kind for kind, _ in source.portions(list(range(len(source.names))), 0, 1 << 62)}
    assert kinds == {Kind.FLOAT}


def test_wrong_lines_are_named_by_file_and_line_and_can_be_corrected(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = folder / "motor" / "h1.csv"
    write(bad, "Timestamp,Current,Temp\n2020/1/1 0:00,2,broken\nyesterday,3,11\n12,3,11\n2020/1/1 0:15,4,13\n")
    labels = folder / "labels.csv"
    write(labels, "from,to\n2020-01-05,2020-01-04\n2020-01-05\n2020-01-05,soon\n2020-01-05,2020-01-06\n")
    assert brought(folder, "--labels", str(labels)) == 1
    said = capsys.readouterr()
    assert "motor/h1.csv line 2: the float64 value 'broken' cannot be read" in said.err
    assert "motor/h1.csv line 3: the time 'yesterday' cannot be read" in said.err
    assert "motor/h1.csv line 4: the time '12' cannot be read" in said.err
    assert "labels.csv line 2: it does not end after its start" in said.err
    assert "labels.csv line 3: it has no end: write START,END" in said.err
    assert "labels.csv line 4: the end 'soon' is no time" in said.err
    assert "6 lines were refused" in said.err
    assert "1 window of labels" in said.out
    aside = Path(f"{bad}.refused.csv")
    assert aside.read_text().splitlines()[2].startswith("yesterday,3,11,3,")
    assert stored(folder.parent / "data")["motor.Current"][:2] == [(0, 2.0), (15 * MINUTES, 4.0)]
    corrected = aside.read_text().replace("yesterday", "2020/1/1 0:05").replace("12,3", "2020/1/1 0:10,3")
    write(folder / "motor" / "h1-corrected.csv", corrected.replace("broken", "12"))
    assert brought(folder) == 1
    assert stored(folder.parent / "data")["motor.Temp"][:4] == [
        (0, 12.0), (5 * MINUTES, 11.0), (10 * MINUTES, 11.0), (15 * MINUTES, 13.0)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("motor/x.csv", "2020-01-01 00:00:00,1\n", "begins with a time, not with the names of its columns"),
        ("motor/x.csv", "T,a,a\n", "has several columns 'a'"),
        ("motor/x.csv", "T,a+b,a#b\n", "its column 'a#b' and 'a+b' of motor/x.csv would both be"),
        ("x.csv", "T,motor.Temp\n", "its column 'motor.Temp' and 'Temp' of motor/h1.csv would both be"),
        ("motor/x.csv", "T,a\n1/2/2020,1\n31/12/2020 0:00,2\n", "the time 31/12/2020 begins with its day"),
        ("motor/x.csv", "", "begins with no header"),
        ("motor/x.csv", "T,\udcb0C\n", "The header is no UTF-8"),
    ],
)
def test_unclear_files_are_said_before_anything_is_stored(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, sentence: str
) -> None:
    (folder / name).write_text(content, "utf-8", errors="surrogateescape")
    assert brought(folder) == 2
    assert sentence in capsys.readouterr().err
    assert not (folder.parent / "data" / "store").exists()


def test_names_are_given_by_map_and_a_folder_names_its_asset(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["import", str(folder), "--format", "lookout", "--data", str(folder.parent / "data"), "--site", "delta"]
    assert main([*command, "--map", "Current=current", "--map", f"impeller.Temp={PUMP}/temperature"]) == 0
    assert "of delta/import/lookout/equipment/pump-01 from" in capsys.readouterr().out
    below = "delta/import/lookout/equipment/pump-01"
    assert set(stored(folder.parent / "data")) == {
        "temperature", f"{below}/current", f"{below}/motor.Temp", f"{below}/Flow"
    }  # fmt: skip


def test_one_file_for_all_and_packed_files(folder: Path, tmp_path: Path) -> None:
    import gzip

    with gzip.open(tmp_path / "one.csv.gz", "wt") as file:
        file.write("Timestamp;motor_current;fan_speed\n20200101000500;1,5;2\n")
    assert brought(tmp_path / "one.csv.gz", "--decimal", ",", "--zone", "Europe/Berlin") == 0
    hour = 60 * MINUTES
    assert stored(folder.parent / "data") == {
        "motor_current": [(5 * MINUTES - hour, 1.5)], "fan_speed": [(5 * MINUTES - hour, 2.0)]
    }  # fmt: skip


def test_what_is_no_folder_and_labels_without_lookout_are_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert brought(folder / "none") == 2
    assert "name the folder of one equipment" in capsys.readouterr().err
    assert brought(folder.parent / "data") == 2
    assert "holds no .csv files" in capsys.readouterr().err
    assert main(["import", str(folder.parent / "labels.csv"), "--labels", "x"]) == 2
    assert "--labels goes with --format lookout" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-31-00-05-00", "2020-01-31T00:05:00", "2020-01-31 00:05:00", "2020-01-31-00:05:00",
        "2020/01/31T00:05:00", "2020/1/31 0:05", "2020 01 31 00:05:00", "20200131T00:05:00", "20200131 000500",
        "20200131000500", "1/31/2020 0:05", "01/31/2020T00:05:00.000", "2020-01-31T00:05", "1580429100",
        "1580429100000", "1580429100000000", "1580429100000000000", "1580429100.0", "2020-01-31T00:05:00Z",
        "2020-01-31T02:05:00.0+02:00",
    ],
)  # fmt: skip
def test_times_in_the_forms_of_the_service(text: str) -> None:
    assert service_times(pa.array([text]), 1, "UTC").tolist() == [1_580_429_100_000_000_000]


@pytest.mark.parametrize("text", ["", "7", "-5", "158042910", "2020", "31/1/2020 0:05", "2020-02-30", "noon"])
def test_what_is_no_time_of_the_service(text: str) -> None:
    with pytest.raises(pa.ArrowInvalid):
        service_times(pa.array([text]), 1, "UTC")
