"""Reports through the whole server: their numbers are those of the API, and their files hold them."""

from __future__ import annotations

import re
import threading
import time
import zlib
from base64 import a85decode
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from running_server import CNC, Running, S, plant, running, until
from shopfloor.plant import Event, EventKind, Kind, Sample
from shopfloor.services.reports.maker import Maker, NotMade
from shopfloor.services.reports.told import Asked

PLANT = """
plant:
  site: delta
  title: Delta <works>
  shifts: [{name: early, begins: "06:00"}, {name: late, begins: "18:00"}]
types:
  machine-tool:
    tags:
      state: {kind: text, states: [EXECUTE, IDLE, HELD]}
      parts: {kind: int64}
      dimension: {unit: um, title: Dimension}
      probed: {kind: int64}
      energy: {unit: kWh}
    quality:
      dimension: {chart: i-mr, tag: dimension, part: probed, spec: {low: -30, high: 30}, centre: 0, sigma: 5}
    production:
      state: state
      states: {EXECUTE: running, IDLE: idle, HELD: down}
      minor_stop: 20s
      count: parts
      ideal_cycle: 30s
      result: {tag: dimension, part: probed, low: -30, high: 30}
      reasons: {Tool: [Broken, 换刀]}
      scrap_reasons: [Surface]
      energy: energy
  pot:
    tags: {voltage: {unit: V, title: Cell voltage, normal: [4, 5], limits: [{high: 6, priority: 1}]}}
  furnace:
    tags: {state: {kind: text, states: [MELT, HOLD]}, metal: {unit: t}}
    production: {state: state, states: {MELT: running, HOLD: idle}, process: {output: metal, after: HOLD}}
assets:
  - {path: delta/casting/melting/row-1/furnace-01, type: furnace, title: Furnace}
  - {path: "delta/frames/machining/cell-a/cnc-[01..02]", type: machine-tool, title: "CNC [01..02]"}
  - {path: "delta/smelter/potline/row-1/pot-[01..02]", type: pot, title: "Pot [01..02]"}
"""
LINE = "delta/frames/machining"
POTS = "delta/smelter/potline"
DAY = 86_400 * S
NOW = time.time_ns() // S * S
SHIFT = (NOW - 6 * 3600 * S) // (DAY // 2) * (DAY // 2) - DAY // 2 + 6 * 3600 * S
"""The beginning of the shift before this one (06:00 or 18:00 UTC)."""


def put(server: Running, tag: str, *values: tuple[int, Any], kind: Kind, asset: str = CNC) -> None:
    """Values at seconds after the beginning of the shift."""
    server.feed(*(Sample(f"{asset}/{tag}", SHIFT + at * S, value) for at, value in values), kind=kind)


def fill(server: Running) -> None:
    hours = 43_200
    put(server, "state", (0, "EXECUTE"), (3600, "HELD"), (7200, "EXECUTE"), (9000, "IDLE"), (9600, "EXECUTE"),
        (hours, "EXECUTE"), kind=Kind.TEXT)  # fmt: skip
    put(server, "parts", *((at, at // 60) for at in range(0, hours, 60)), kind=Kind.INT)
    put(server, "energy", *((at, at / 600) for at in range(0, hours, 60)), kind=Kind.FLOAT)
    put(
        server,
        "dimension",
        *((at, 40.0 if at == 6000 else at // 600 % 5 - 2.0) for at in range(0, hours, 600)),
        kind=Kind.FLOAT,
    )
    put(server, "probed", *((at, at // 600) for at in range(0, hours, 600)), kind=Kind.INT)
    pot = f"{POTS}/row-1/pot-01"
    put(
        server,
        "voltage",
        *((at, 5.5 if at < 21_600 else 4.5) for at in range(0, hours, 60)),
        kind=Kind.FLOAT,
        asset=pot,
    )
    furnace = "delta/casting/melting/row-1/furnace-01"
    put(server, "state", (0, "MELT"), (30_000, "HOLD"), (hours, "MELT"), kind=Kind.TEXT, asset=furnace)
    until(lambda: server.get("/production/downtime", at=ms())["stops"])
    (stop,) = [one for one in server.get("/production/downtime", at=ms())["stops"] if one["kind"] == "down"]
    said = {"by": "Li", "reason": "Tool/换刀", "comment": "<script>alert(1)</script>"}
    server.client.post(f"/api/v1/production/downtime/{stop['id']}/reason", json=said).raise_for_status()
    scrap = {"by": "Li", "asset": CNC, "quantity": 3, "reason": "Surface", "time": ms(30_000)}
    server.client.post("/api/v1/production/scrap", json=scrap).raise_for_status()
    detail: dict[str, str | float | int] = {"tag": f"{CNC}/offset", "asked": "2", "before": "1", "by": "Wu"}
    server.parts.alarms.record(Event(SHIFT + 9_000 * S, EventKind.SETPOINT_WRITTEN, CNC, "Written.", detail))
    until(lambda: server.get("/quality")[0]["state"] not in {"waiting", "learning"})


def ms(at: float = 0) -> float:
    return SHIFT / 1e6 + at * 1000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("reports"), plant(PLANT)) as server:
        fill(server)
        yield server


def ask(server: Running, unit: str = "shift", **more: Any) -> Any:
    answer = server.client.get(f"/api/v1/reports/{unit}", params={"at": ms(), **more}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture(scope="module")
def document(server: Running) -> Any:
    return ask(server, format="json", line=LINE).json()


def test_the_numbers_are_those_of_the_api(server: Running, document: Any) -> None:
    (line,) = server.get("/production/oee", at=ms(), place=LINE)["lines"]
    total = document["oee"]["total"]
    assert {
        name: document["oee"]["now"][name] for name in ("oee", "availability", "effectiveness", "quality_ratio")
    } == {name: line["kpis"][name] for name in ("oee", "availability", "effectiveness", "quality_ratio")}
    assert document["oee"]["now"]["losses"] == {loss["kind"]: loss["seconds"] for loss in line["losses"]}
    assert (total["made"], total["good"], total["scrap"]) == tuple(line["counts"][n] for n in ("pq", "gq", "sq"))
    assert [one["title"] for one in document["oee"]["machines"]] == ["CNC 01", "CNC 02"]
    energy = server.get("/production/energy", at=ms(), place=LINE)["lines"][0]["machines"][0]
    assert document["energy"][0]["kwh"] == energy["total"]
    assert document["energy"][0]["base_load"] == energy["base_load"]
    chart = server.get("/quality/dimension", asset=CNC, start=ms(), end=ms(43_200))
    (drawn,) = [one for one in document["charts"] if one["asset"] == "CNC 01"]
    assert drawn["cpk"] == chart["capability"]["cpk"]["value"]
    assert drawn["signals"] == sum(bool(one) for one in chart["broken"]) > 0
    assert drawn["plot"]["value"] == chart["value"]


def test_a_process_has_no_part_in_the_oee_of_a_plant(server: Running, document: Any) -> None:
    assert ask(server, format="json").json()["oee"]["now"] == document["oee"]["now"]


def test_stops_rejects_setpoints_and_completeness_are_told(document: Any) -> None:
    first = document["downtime"]["causes"][0]
    assert (first["reason"], first["seconds"], first["count"]) == ("Tool/换刀", 3600.0, 1)
    assert document["downtime"]["longest"][0]["asset"] == "CNC 01"
    assert {(one["kind"], one["reason"]): one["quantity"] for one in document["rejects"]} == {
        ("scrap", "Surface"): 3.0, ("scrap", "measured"): 1.0
    }  # fmt: skip
    assert [(one["by"], one["asked"]) for one in document["setpoints"]] == [("Wu", "2")]
    assert [one["by"] for one in document["notes"]] == []  # the journal was written now, not in that shift
    data = document["data"]
    assert data["bad"] == 0
    assert (data["tags"], data["silent"]) == (8, 4)
    assert ("CNC 02", 43_200) in {(gap["assets"][0], (gap["end"] - gap["start"]) // S) for gap in data["gaps"]}
    assert data["accounts"][0]["balanced"]
    assert document["head"]["over"]
    assert document["head"]["end"] - document["head"]["start"] == DAY // 2


def test_a_process_line_has_alarms_and_tags_against_their_bands(server: Running) -> None:
    said = ask(server, format="json", line=POTS).json()
    assert said["oee"] is None
    assert [(one["asset"], one["outside"]) for one in said["trends"]] == [("Pot 01", 0.5)]
    assert said["alarms"]["count"] == 0
    text = ask(server, line=POTS).text
    assert "Cell voltage of Pot 01 left its normal band for 50 % of the time" in text
    assert "No machine here declares production." in text


class Seen(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_html_stands_alone_without_script_or_address_and_what_people_wrote_stays_text(server: Running) -> None:
    answer = ask(server, line=LINE)
    assert answer.headers["content-disposition"].startswith('inline; filename="report-frames-machining-')
    assert answer.headers["content-disposition"].endswith(('-early.html"', '-late.html"'))
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    seen = Seen(answer.text)
    assert seen.tags.isdisjoint({"script", "link", "img", "iframe", "a", "form", "object"})
    assert not [one for one in seen.attributes if one[0].startswith("on") or one[0] in {"src", "href", "style"}]
    assert "url(" not in answer.text
    assert "http" not in answer.text
    assert "<script>alert(1)</script> (Li)" in seen.texts
    assert "svg" in seen.tags


def pdf_texts(data: bytes) -> str:
    """What the pages of a PDF write: strings of the Chinese font are UTF-16, all others cp1252."""
    assert data.startswith(b"%PDF-1.")
    assert data.rstrip().endswith(b"%%EOF")
    chinese = {
        name for body in re.findall(rb" obj(.*?)endobj", data, re.S) if b"/STSong-Light" in body
        for name in re.findall(rb"/Name /(\S+)", body)
    }  # fmt: skip
    said, font = [], b""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", data, re.S):
        content = zlib.decompress(a85decode(b"<~" + stream.strip(), adobe=True))
        for name, text in re.findall(rb"/(\S+) [\d.]+ Tf|\(((?:[^()\\]|\\.)*)\) T[jJ]", content, re.S):
            font = name or font
            plain = re.sub(
                rb"\\([0-7]{3}|.)", lambda m: bytes([int(m[1], 8)]) if len(m[1]) == 3 else m[1], text, flags=re.S
            )
            said.append(plain.decode("utf-16-be" if font in chinese else "cp1252", "replace"))
    return "".join(said)


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ["First-pass yield", "CNC 01", "Tool · 换刀"]), ("zh", ["停机", "一次合格率", "违反规则"])],
)
def test_pdf_and_html_say_the_same(server: Running, language: str, words: list[str]) -> None:
    said = "".join(Seen(ask(server, line=LINE, lang=language).text).texts)
    answer = ask(server, line=LINE, lang=language, format="pdf")
    assert answer.headers["content-type"] == "application/pdf"
    printed = re.sub(r"\s+", "", pdf_texts(answer.content))
    for word in words:
        assert word in said
        assert word.replace(" ", "") in printed


def test_a_report_is_kept_listed_read_and_audited(server: Running) -> None:
    answer = server.client.post("/api/v1/reports", json={"unit": "day", "at": ms(), "format": "html"}, timeout=60)
    made = answer.json()
    assert (made["state"], made["schedule"], made["unit"]) == ("made", "", "day")
    assert server.get("/reports")["reports"][0] == made
    again = server.client.get(f"/api/v1/reports/{made['id']}")
    assert again.headers["content-disposition"] == f'inline; filename="{made["file"]}"'
    assert len(again.content) == made["size"]
    (entry,) = [one for one in server.get("/audit") if one["right"] == "report"]
    assert entry["after"]["id"] == made["id"]


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("shift?line=delta/frames/nowhere", 404, "There is nothing at 'delta/frames/nowhere'"),
        ("shift?at=99999999999999", 422, ""),
        ("shift?format=docx", 422, ""),
        ("777", 404, "There is no report 777: ask /api/v1/reports for those that are."),
    ],
)
def test_what_cannot_be_reported_is_refused_in_a_sentence(
    server: Running, path: str, status: int, sentence: str
) -> None:
    answer = server.client.get(f"/api/v1/reports/{path}")
    assert answer.status_code == status
    assert sentence in answer.json()["detail"]


def test_time_that_has_not_begun_is_refused(server: Running) -> None:
    answer = server.client.get("/api/v1/reports/day", params={"at": (NOW + 3 * DAY) / 1e6})
    assert (answer.status_code, answer.json()["detail"]) == (422, "That time has not begun: ask for one that has.")


def test_a_process_that_takes_too_long_is_ended_with_a_sentence(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = server.parts.reports._maker
    monkeypatch.setattr(maker, "_patience", 0.01)
    answer = server.client.get("/api/v1/reports/shift", params={"at": ms()})
    said = "The report took longer than 0 s and was given up: ask for a part of the plant."
    assert (answer.status_code, answer.json()["detail"]) == (503, said)
    assert maker._process
    assert maker._process.returncode < 0


def test_a_server_that_stops_ends_the_process(server: Running) -> None:
    task = server.parts.reports._task(Asked("shift", SHIFT), None)
    maker, refused = Maker(), []

    def wait() -> None:
        with pytest.raises(NotMade) as problem:
            maker.made(task)
        refused.append(str(problem.value))

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: maker._process)
    maker.close()
    thread.join(60)
    wait()
    assert refused == ["The server stops: ask for the report when it runs again."] * 2
