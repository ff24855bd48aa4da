"""Messages reach a real mail server and a real web server: encrypted, escalated, quiet, few in a flood, none lost."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from shopfloor.plant import Sample
from shopfloor.plant.config import PlantConfig, loads
from shopfloor.services.alarms import Acknowledgement, Alarm, AlarmKind, Condition, State
from shopfloor.services.notify import Notifier

sys.path.insert(0, str(Path(__file__).parent))
from mqtt_certificates import Authority
from receivers import PASSWORD, Hook, hook_server, mail_server
from running_server import PLANT, POWER, plant, running, until

S = 1_000_000_000
NOW = 1_800_000_000 * S


def alarm(number: int, priority: int = 1, since: int = NOW, title: str = "Power high") -> Alarm:
    asset = "delta/frames/machining/cell-a/cnc-01"
    condition = Condition(f"k{number}", AlarmKind.LIMIT, "limit_high", priority, title, "Power of CNC 01 is 16 kW.",
                          why="Normal is 0 to 12 kW.", advice="Reduce the feed.", asset=asset,
                          values={"asset": "CNC 01"})  # fmt: skip
    return Alarm(number, condition, State.ACTIVE, since)


@dataclass
class World:
    """What the notifier sees."""

    folder: Path
    now: int = NOW
    shift: str = "day"
    flood: int | None = None
    alarms: list[Alarm] = field(default_factory=list)

    @contextmanager
    def notifier(self, config: PlantConfig) -> Iterator[Notifier]:
        with Notifier(
            self.folder, config, lambda: self.now, alarms=lambda: list(self.alarms), flood=lambda: self.flood,
            shift=lambda _: self.shift, tick_s=0.02,
        ) as notifier:  # fmt: skip
            yield notifier


def config(notify: str) -> PlantConfig:
    return loads(f"""
plant: {{site: delta, title: Delta works, timezone: Asia/Shanghai, shifts: [
  {{name: night, begins: '00:00'}}, {{name: day, begins: '06:00'}}]}}
types: {{machine-tool: {{}}}}
assets: [{{path: "delta/frames/machining/cell-a/cnc-[01..02]", type: machine-tool}}]
alarms:
  notify:
    link: https://shopfloor.delta.example
{notify}
""")


def hooks(hook: Hook, steps: str) -> PlantConfig:
    return config(
        f"    routes: [{{name: shift, priority: 2, steps: [{steps}]}}]".replace("URL", f"http://127.0.0.1:{hook.port}")
    )


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hook_server() as hook:
        yield hook


def mails(port: int, files: Path, ca: Path, **more: str) -> PlantConfig:
    keys = {"user": "plant", "password_file": str(files), "ca_file": str(ca)} | more
    said = ", ".join(f"{key}: '{value}'" for key, value in keys.items() if value)
    return config(f"""\
    mail: {{host: 127.0.0.1, port: {port}, sender: plant@delta.example, {said}}}
    routes: [{{name: shift, steps: [{{mail: [anna@delta.example, ben@delta.example]}}]}}]
""")


def test_mail_goes_encrypted_and_logged_in_or_not_at_all(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="shopfloor")
    authority, stranger = Authority(tmp_path, "authority"), Authority(tmp_path, "stranger")
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    world = World(tmp_path / "notify", alarms=[alarm(7, title="Power high\r\nBcc: all@delta.example")])
    with mail_server(authority.issue("mail")) as (inbox, port):
        with world.notifier(mails(port, secret, stranger.file)) as notifier:
            until(lambda: "SSLCertVerificationError" in notifier.state()["problem"])
        world.now += 60 * S
        secret.write_text("wrong")
        with world.notifier(mails(port, secret, authority.file)) as notifier:
            until(lambda: "refuses the login (535)" in notifier.state()["problem"])
        world.now += 60 * S
        assert inbox.letters == []
        secret.write_text(f"{PASSWORD}\n")
        with world.notifier(mails(port, secret, authority.file)) as notifier:
            until(lambda: notifier.state() == {"routes": 1, "waiting": 0, "sent": 2, "problem": ""})
        assert inbox.encrypted == [True, True]
        assert [letter["To"] for letter in inbox.letters] == ["anna@delta.example", "ben@delta.example"]
        letter = inbox.letters[0]
        assert letter["Subject"] == "[1] Delta works: CNC 01 Power high Bcc: all@delta.example"
        assert letter["Bcc"] is None
        text = letter.get_content()
        for said in (
            "16 kW",
            "Do: Reduce the feed.",
            "2027-01-15 16:00:00",
            "https://shopfloor.delta.example/alarms?alarm=7",
        ):
            assert said in text
    assert PASSWORD not in caplog.text
    assert "wrong" not in caplog.text


def test_a_mail_server_without_encryption_gets_nothing(tmp_path: Path) -> None:
    secret, ca = tmp_path / "password", Authority(tmp_path, "authority").file
    secret.write_text(PASSWORD)
    world = World(tmp_path / "notify", alarms=[alarm(7)])
    with mail_server(None) as (inbox, port), world.notifier(mails(port, secret, ca)) as notifier:
        until(lambda: "SMTPNotSupportedError" in notifier.state()["problem"])
        assert inbox.letters == []


def test_what_was_not_taken_is_sent_again_also_after_a_restart_and_once_when_it_was(tmp_path: Path, hook: Hook) -> None:
    token = tmp_path / "token"
    token.write_text("hook-token-5\n")
    steps = hooks(hook, f"{{webhook: 'URL/chat', token_file: '{token}'}}")
    hook.answers = [503, 500]
    world = World(tmp_path / "notify", alarms=[alarm(7), alarm(8, priority=3)])
    with world.notifier(steps) as notifier:
        until(lambda: notifier.state()["problem"] == "The webhook at 127.0.0.1 answered 503.")
        world.now += 11 * S
        until(lambda: notifier.state()["problem"] == "The webhook at 127.0.0.1 answered 500.")
    world.alarms = []
    with world.notifier(steps) as notifier:
        world.now += 21 * S
        until(lambda: notifier.state()["waiting"] == 0)
    world.alarms = [alarm(7)]
    with world.notifier(steps):
        time.sleep(0.2)
    assert len(hook.posted) == 3, "told once, whatever restarts"
    assert {headers["Authorization"] for _, headers, _ in hook.posted} == {"Bearer hook-token-5"}
    assert len({headers["Idempotency-Key"] for _, headers, _ in hook.posted}) == 1
    (told,) = hook.at("/chat")[-1]["alarms"]
    assert (told["id"], told["title"], told["since"]) == (7, "Power high", NOW / 1e6)


def test_escalation_goes_on_until_somebody_acknowledges(tmp_path: Path, hook: Hook) -> None:
    steps = hooks(
        hook, "{webhook: 'URL/shift'}, {after: 10min, webhook: 'URL/chief'}, {after: 20min, webhook: 'URL/head'}"
    )
    world = World(tmp_path / "notify", alarms=[alarm(7), alarm(8)])
    with world.notifier(steps):
        until(lambda: len(hook.at("/shift")) == 2)
        world.alarms = [alarm(7), replace(alarm(8), state=State.ACKNOWLEDGED, acknowledged=Acknowledgement("A", NOW))]
        world.now += 599 * S
        time.sleep(0.2)
        assert hook.at("/chief") == []
        world.now += S
        (told,) = until(lambda: hook.at("/chief"))
        assert [one["id"] for one in told["alarms"]] == [7]
        world.alarms = [replace(alarm(7), state=State.RETURNED)]
        world.now += 600 * S
        until(lambda: hook.at("/head"))
        assert len(hook.posted) == 4
        world.alarms = [replace(alarm(7), realarmed=world.now)]
        (_, told) = until(lambda: len(found := hook.at("/shift")) == 3 and found[1:])
        assert told["subject"] == "[1] Delta works: CNC 01 Power high (asks again)"
        assert "still there, and asks again since 2027-01-15 16:20:00." in told["text"]
        time.sleep(0.2)
    assert len(hook.posted) == 5, "the steps to come wait anew"


def test_a_quiet_step_speaks_when_its_shift_ends(tmp_path: Path, hook: Hook) -> None:
    world = World(tmp_path / "notify", shift="night", alarms=[alarm(7)])
    with world.notifier(hooks(hook, "{webhook: 'URL/day', quiet: [night]}, {webhook: 'URL/always'}")):
        until(lambda: hook.at("/always"))
        assert hook.at("/day") == []
        world.shift = "day"
        until(lambda: hook.at("/day"))


def test_a_flood_is_one_message_and_many_alarms_are_few(tmp_path: Path, hook: Hook) -> None:
    world = World(tmp_path / "notify", alarms=[alarm(n) for n in range(7)])
    with world.notifier(hooks(hook, "{webhook: 'URL/a'}")):
        until(lambda: len(hook.posted) == 6)
        assert [body["kind"] for body in hook.at("/a")] == ["alarm"] * 5 + ["alarms"]
        assert hook.at("/a")[-1]["count"] == 2
        world.now += 601 * S
        world.flood, world.alarms = world.now, [alarm(n, since=world.now) for n in range(100, 120)]
        until(lambda: len(hook.posted) == 7)
        told = hook.at("/a")[-1]
        assert (told["count"], told["flood"]) == (20, True)
        world.alarms += [alarm(n, since=world.now) for n in range(200, 220)]
        time.sleep(0.2)
        assert len(hook.posted) == 7
        world.now += 601 * S
        until(lambda: len(hook.posted) == 8)
        assert hook.at("/a")[-1]["count"] == 20, "the next ten minutes later, of those that nobody was told of"


def test_from_a_value_to_the_message_through_the_whole_server(tmp_path: Path, hook: Hook) -> None:
    step = f"{{webhook: 'http://127.0.0.1:{hook.port}/chat'}}"
    notify = (
        f"alarms: {{notify: {{routes: [{{name: shift, priority: 2, assets: [delta/frames], steps: [{step}]}}]}}}}\n"
    )
    with running(tmp_path, plant(PLANT + notify)) as server:
        assert server.get("/alarms/notifications")["routes"] == 1
        server.feed(Sample(POWER, time.time_ns(), 16.0))
        (told,) = until(lambda: hook.at("/chat"))
        assert told["subject"] == "[2] Delta works: CNC 01 Spindle power high"
        until(lambda: server.get("/alarms/notifications")["sent"] == 1)


def test_nobody_to_tell_costs_nothing(tmp_path: Path) -> None:
    world: Any = World(tmp_path / "notify", alarms=[alarm(1)])
    with world.notifier(config("    routes: []")) as notifier:
        assert notifier.state() == {"routes": 0, "waiting": 0, "sent": 0, "problem": ""}
    assert not world.folder.exists()
