"""Reports by schedule: each once, over changes of clocks, restarts and failures; mailed to a real mail server."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mqtt_certificates import Authority
from running_server import FakeBrain, S, until
from shopfloor.plant.config import PlantConfig, ReportSection, loads
from shopfloor.services.app import Parts, open_parts
from shopfloor.services.historian import Calendar, Shift
from shopfloor.services.reports import maker
from shopfloor.services.reports import reports as service
from shopfloor.services.reports.kept import Kept, KeptReports, ReportUnknown
from shopfloor.services.reports.reports import key_of
from shopfloor.services.reports.schedule import due

sys.path.insert(0, str(Path(__file__).parents[1] / "notify"))
from receivers import PASSWORD, mail_server

BERLIN = Calendar("Europe/Berlin", (Shift("early", 360), Shift("late", 840), Shift("night", 1320)))


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * S


@pytest.mark.parametrize(
    ("section", "since", "now", "expected"),
    [
        # a night of seven hours, in which clocks go forward; made five minutes after its end, at 06:00 CEST
        ({"every": "shift"}, "2026-03-28T21:30", "2026-03-29T04:04", []),
        ({"every": "shift"}, "2026-03-28T21:30", "2026-03-29T04:05", [("2026-03-28", "night", 7)]),
        # and one of nine, in which they go back
        ({"every": "shift"}, "2026-10-24T20:30", "2026-10-25T05:05", [("2026-10-24", "night", 9)]),
        # days of 23 and 25 hours
        ({"every": "day"}, "2026-03-28T23:30", "2026-03-29T22:05", [("2026-03-29", "", 23)]),
        ({"every": "day"}, "2026-10-24T22:30", "2026-10-25T23:04", []),
        ({"every": "day"}, "2026-10-24T22:30", "2026-10-25T23:05", [("2026-10-25", "", 25)]),
        # at a local time: 06:30 is 04:30 in summer, 05:30 in winter; 02:30 does not exist on one day, and is 03:30
        ({"every": "day", "at": "06:30"}, "2026-07-01T00:00", "2026-07-02T04:29", []),
        ({"every": "day", "at": "06:30"}, "2026-07-01T00:00", "2026-07-02T04:30", [("2026-07-01", "", 24)]),
        ({"every": "day", "at": "06:30"}, "2026-12-01T00:00", "2026-12-02T05:30", [("2026-12-01", "", 24)]),
        ({"every": "day", "at": "02:30"}, "2026-03-28T00:00", "2026-03-29T01:29", []),
        ({"every": "day", "at": "02:30"}, "2026-03-28T00:00", "2026-03-29T01:30", [("2026-03-28", "", 24)]),
        # only some shifts; and no more than a week is made up for
        ({"every": "shift", "shifts": ["late"]}, "2026-07-01T00:00", "2026-07-02T21:00",
         [("2026-07-01", "late", 8), ("2026-07-02", "late", 8)]),
        ({"every": "day"}, "2026-01-01T12:00", "2026-07-08T12:00", [(f"2026-07-0{n}", "", 24) for n in range(1, 8)]),
    ],
)  # fmt: skip
def test_what_is_due(section: dict[str, object], since: str, now: str, expected: list[tuple[str, str, int]]) -> None:
    report = ReportSection.model_validate({"name": "r", **section})
    found = due(report, BERLIN, utc(since), utc(now))
    assert [(one.period.day, one.period.shift, (one.period.end - one.period.start) // (3600 * S)) for one in found] == (
        expected
    )


class Plant:
    """A plant whose clock the test turns, started again and again on one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, utc("2026-03-01T07:00")
        (folder / "password").write_text(PASSWORD)
        self.authority = Authority(folder, "authority")

    def config(self, port: int) -> PlantConfig:
        mail = f"host: 127.0.0.1, port: {port}, sender: plant@delta.example, user: plant"
        files = f"password_file: {self.folder}/password, ca_file: {self.authority.file}"
        return loads(f"""
plant: {{site: delta, title: Delta, shifts: [{{name: early, begins: "06:00"}}, {{name: late, begins: "18:00"}}]}}
types: {{pump: {{tags: {{flow: {{}}}}}}}}
assets: [{{path: delta/water/line-1/cell-1/pump-1, type: pump}}]
alarms: {{notify: {{link: "https://delta.example", mail: {{{mail}, {files}}}}}}}
reports: {{schedule: [{{name: shift, every: shift, line: delta/water/line-1, mail: [anna@delta.example]}}]}}
""")

    @contextmanager
    def started(self, port: int) -> Iterator[Parts]:
        with open_parts(
            self.config(port), self.folder / "data", time=lambda: self.now, make_brain=lambda *_: FakeBrain()
        ) as parts:
            yield parts


def test_each_shift_is_reported_once_and_mailed_whatever_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Plant(tmp_path)
    monkeypatch.setattr(service, "TICK_S", 3600.0)
    with plant.started(1) as parts:
        parts.reports.turn()
        assert parts.reports.kept.newest() == []
    plant.now += 86_400 * S + 301 * S  # it was away for a day: two shifts have ended
    with plant.started(1) as parts:
        with monkeypatch.context() as broken:
            broken.setattr(maker, "_CHILD", "nowhere")
            parts.reports.turn()
        assert [(one.made, one.tries) for one in parts.reports.kept.newest()] == [(None, 1)] * 2
        problem = parts.reports.kept.newest()[0].problem
        said = r"The report could not be made \(.*No module named nowhere\): see the server's log\."
        assert re.fullmatch(said, problem)
    plant.now += 61 * S
    with plant.started(1) as parts:
        parts.reports.turn()
        made = parts.reports.kept.newest()
        assert [(one.day, one.shift) for one in made] == [("2026-03-01", "late"), ("2026-03-01", "early")]
        assert all(one.made and not one.problem for one in made)
        waits = until(lambda: [one for one in parts.notifier.letters(key_of(made[0])) if one["problem"]])
        assert waits[0]["problem"] == "The mail server 127.0.0.1 cannot be used (ConnectionRefusedError)."
        assert waits[0]["sent"] is None
    plant.now += 700 * S
    with mail_server(plant.authority.issue("mail")) as (inbox, port), plant.started(port) as parts:
        parts.reports.turn()
        until(lambda: len(inbox.letters) == 2)
        assert [one.id for one in parts.reports.kept.newest()] == [one.id for one in made]
        until(lambda: all(one["sent"] for kept in made for one in parts.notifier.letters(key_of(kept))))
    letter = next(one for one in inbox.letters if "early" in str(one["Subject"]))
    assert letter["To"] == "anna@delta.example"
    assert letter["Subject"] == "Delta · Report of the shift early, 2026-03-01"
    (attached,) = letter.iter_attachments()
    assert attached.get_filename() == "report-water-line-1-2026-03-01-early.pdf"
    assert attached.get_content().startswith(b"%PDF-")
    text = letter.get_body(("plain",))
    assert text is not None
    assert f"https://delta.example/reports?report={made[1].id}" in text.get_content()
    assert inbox.encrypted == [True, True]


NEW = Kept(0, "", "day", 0, 86_400 * S, "", "1970-01-01", "", "en", "pdf", "Li", 0, None, "report.pdf", 0, 0, 0, "", 1)


def test_old_reports_go_with_their_files_and_one_that_is_not_made_says_so(tmp_path: Path) -> None:
    with KeptReports(tmp_path) as kept:
        made = [kept.put(kept.add(replace(NEW, asked=n)), b"x" * n, n) for n in range(1, 6)]
        assert [one.size for one in made] == [1, 2, 3, 4, 5]
        assert kept.forget(before=2, most=3) == 2
        assert [one.asked for one in kept.newest()] == [5, 4, 3]
        assert len(list((tmp_path / "files").iterdir())) == 3
        once = [kept.add(replace(NEW, schedule="shift", start=7, asked=9)) for _ in range(2)]
        assert once[0].id == once[1].id
        with pytest.raises(ReportUnknown, match="has no file"):
            kept.read(once[0].id)
