"""The book follows what devices say of their conditions: states, refreshes, branches, what hides them, restarts."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from running_server import CNC, plant, running, until
from shopfloor.plant import Batch, Kind, Sample
from shopfloor.plant.condition import Act, Refresh, Told, tag_of
from shopfloor.services.alarms import Alarm, AlarmKind, AsideKind, State
from shopfloor.services.alarms.book import Book
from shopfloor.services.alarms.device import AT_DEVICE
from shopfloor.services.alarms.following import Following
from shopfloor.services.alarms.pending import Asked, Pending
from shopfloor.services.alarms.store import AlarmStore

S = 1_000_000_000
NOW = 1_800_000_000 * S
DOOR = Told(
    "plc", "i=2253", NOW, id="nsu=urn:maker;s=Door", event="01", name="DoorOpen", subject="CNC-01", message="Door open",
    severity=700, priority=1, retain=True, enabled=True, active=True, acked=False, asset=CNC,
    answers=("acknowledge", "comment"),
)  # fmt: skip
GONE = replace(DOOR, retain=False, active=False, acked=True)


class Device:
    """A book, and a device that speaks."""

    def __init__(self, store: AlarmStore) -> None:
        self.heard: list[str] = []
        self.store, self.pending = store, Pending(lambda: NOW)
        self.book = Book(store, heard=lambda alarm, _: self.heard.append(alarm.condition.key))
        self.following = Following(self.book, store, {CNC: "CNC 01"}, self.pending)
        self._clock = count(NOW)

    def says(self, *told: Told) -> None:
        rows = [Sample(tag_of(one.source), next(self._clock), one.to_text()) for one in told]
        self.following.take(Batch.of(rows, Kind.TEXT))

    def alarm(self, told: Told = DOOR) -> Alarm | None:
        return self.book.known(told.key)

    def state(self, told: Told = DOOR) -> State | None:
        alarm = self.alarm(told)
        return alarm.state if alarm else None


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    with AlarmStore(tmp_path) as store:
        yield Device(store)


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({}, State.ACTIVE),
        ({"acked": True}, State.ACKNOWLEDGED),
        ({"active": False}, State.RETURNED),
        ({"active": False, "confirmed": False}, State.LATCHED),
        ({"active": False, "acked": True, "confirmed": False}, State.LATCHED_ACKNOWLEDGED),
        ({"active": False, "acked": True, "latched": True}, State.LATCHED_ACKNOWLEDGED),
        ({"active": False, "acked": True}, None),
        ({"retain": False}, None),
        ({"enabled": False}, None),
        ({"active": None, "acked": None}, State.ACTIVE),
    ],
)
def test_what_the_device_says_is_shown_whether_it_was_known_before_or_not(
    device: Device, changed: dict[str, object], state: State | None
) -> None:
    other = replace(DOOR, id="nsu=urn:maker;s=Other")
    device.says(DOOR, replace(DOOR, **changed), replace(other, **changed))  # type: ignore[arg-type]
    assert (device.state(), device.state(other)) == (state, state)


def test_words_urgency_and_who_acknowledged_follow_the_device(device: Device) -> None:
    device.says(replace(DOOR, time=NOW - 7 * S))
    louder = replace(DOOR, event="02", message="Door open for 5 min", priority=2, severity=400)
    device.says(louder, replace(louder, event="03", acked=True, by="panel", comment="Seen."))
    alarm = device.alarm()
    assert alarm is not None
    assert (alarm.since, alarm.condition.sentence, alarm.condition.priority) == (NOW - 7 * S, "Door open for 5 min", 2)
    assert alarm.condition.device["event"] == "03"
    assert alarm.acknowledged is not None
    assert (alarm.acknowledged.by, alarm.acknowledged.note) == (f"panel, {AT_DEVICE}", "Seen.")
    device.says(replace(louder, acked=False))
    assert device.state() is State.ACTIVE, "the device asks again"
    device.pending.ask(DOOR.key, Asked(Act.ACKNOWLEDGE, "Anna", "On my way.", NOW))
    device.says(replace(louder, acked=True, by="gateway"))
    alarm = device.alarm()
    assert alarm is not None
    assert alarm.acknowledged is not None
    assert (alarm.acknowledged.by, device.pending.of(DOOR.key)) == ("Anna", None)
    assert device.heard == [DOOR.key, DOOR.key]
    device.says(GONE)
    assert device.alarm() is None


def test_a_clock_that_is_ahead_is_not_believed_and_a_branch_is_an_alarm_of_its_own(device: Device) -> None:
    branch = replace(DOOR, branch="i=9", time=NOW + 3600 * S)
    device.says(DOOR, branch)
    earlier = device.alarm(branch)
    assert earlier is not None
    assert (earlier.state, earlier.since < NOW + S) == (State.RETURNED, True)
    assert earlier.condition.sentence == "An earlier occurrence: Door open"
    device.says(replace(branch, retain=False, acked=True))
    assert (device.state(), device.alarm(branch)) == (State.ACTIVE, None)


def test_what_a_refresh_does_not_tell_is_gone_for_that_notifier_only(device: Device) -> None:
    start, end = Told("plc", "i=2253", refresh=Refresh.START), Told("plc", "i=2253", refresh=Refresh.END)
    lid, oil = replace(DOOR, id="i=1"), replace(DOOR, id="i=2", notifier="i=9")
    other = replace(DOOR, source="press")
    device.says(DOOR, lid, oil, other, end)
    assert device.state(lid) is State.ACTIVE, "an end without a beginning says nothing"
    device.says(start, lid)
    followed = device.store.followed()[tag_of("plc")]
    device.says(end)
    assert [device.state(one) for one in (DOOR, lid, oil, other)] == [None, *[State.ACTIVE] * 3]
    assert followed < device.store.followed()[tag_of("plc")] - 1, "an open refresh is read again from its beginning"
    earlier = replace(lid, branch="i=7")
    device.says(earlier, start, lid, end)
    assert device.state(earlier) is State.RETURNED, "not every server tells branches in a refresh"
    device.says(start, lid, start, end)
    assert device.state(earlier) is None
    assert device.state(lid) is None, "a link that was lost in a refresh begins it again"


def test_what_hides_it_at_the_device_hides_it_here_until_the_device_shows_it(device: Device) -> None:
    device.says(replace(DOOR, suppressed=True, shelved="timed", unshelve_s=60.0))
    assert (device.heard, device.book.open_alarms()) == ([], [])
    shelved = device.book.aside_of_kind(DOOR.key, AsideKind.SHELVED)
    assert shelved is not None
    assert (shelved.by, shelved.until) == (AT_DEVICE, NOW + 60 * S)
    device.book.tick(NOW + S)
    assert device.book.open_alarms() == [], "no design here lifts what the device suppresses"
    device.says(replace(DOOR, suppressed=False, shelved=""))
    assert [one.state for one in device.book.open_alarms()] == [State.ACTIVE]
    assert device.heard == [DOOR.key]


def test_a_thousand_conditions_are_one_commit(device: Device) -> None:
    many = [replace(DOOR, id=f"i={n}") for n in range(1_000)]
    commits: list[str] = []
    device.store.database._db.set_trace_callback(  # type: ignore[union-attr]
        lambda said: commits.append(said) if said == "COMMIT" else None
    )
    device.says(*many)
    assert len(device.book.of_kind(AlarmKind.CONDITION)) == 1_000
    assert commits == ["COMMIT"]


def test_a_server_that_died_before_it_followed_does_so_now(tmp_path: Path) -> None:
    with running(tmp_path, plant()) as server:
        quiet = replace(DOOR, id="i=4", acked=None, answers=())
        rows = [Sample(tag_of("plc"), time.time_ns() + n, one.to_text()) for n, one in enumerate((DOOR, quiet))]
        server.feed(*rows, kind=Kind.TEXT)
        shown = until(lambda: len(found := server.get("/alarms", asset=CNC)) == 2 and found)
        assert {a["device"]["keeps"] for a in shown} == {True, False}
        kept, plain = sorted(shown, key=lambda a: not a["device"]["keeps"])
        acts = {
            a["id"]: server.client.post(f"/api/v1/alarms/{a['id']}/acknowledge", json={"by": "Anna"}) for a in shown
        }
        assert acts[plain["id"]].json()["state"] == "acknowledged", "the device keeps none, so we do"
        away = acts[kept["id"]]
        assert (away.status_code, away.json()["detail"]) == (
            504, "No gateway has the source 'plc' now: the device was not told.",
        )  # fmt: skip
        assert not [row for row in server.get("/tags") if "conditions" in row["path"]]
    shutil.rmtree(tmp_path / "alarms")
    with running(tmp_path, plant()) as server:
        assert {a["state"] for a in until(lambda: server.get("/alarms", asset=CNC))} == {"active"}
