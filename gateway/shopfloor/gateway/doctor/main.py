"""`shopfloor doctor`: examines a connection and prints a ladder of steps, or JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shopfloor.gateway.doctor.configured import configured
from shopfloor.gateway.doctor.examine import examine, steps_of
from shopfloor.gateway.doctor.finding import NOT_REACHED, Finding, State
from shopfloor.plant import ConfigError
from shopfloor.plant.arguments import positive
from shopfloor.plant.config import PlantConfig, load

_MARKS: Final = {State.OK: "✓", State.NOTE: "!", State.FAILED: "✗", State.SKIPPED: "·"}
_COLOURS: Final = {State.OK: "32", State.NOTE: "33", State.FAILED: "31;1", State.SKIPPED: "2"}
_PASSWORD: Final = re.compile(r"(://[^:/@]*):[^/]*(?=@)")
_FILES: Final = {
    "password_file": "file that holds the password",
    "certificate": "file of this side's own certificate",
    "private_key": "file of its private key",
    "server_certificate": "OPC UA: file of the server's certificate, to trust no other",
    "user_certificate": "OPC UA: file of a certificate to log in with",
    "user_key": "OPC UA: file of its private key",
    "ca_file": "MQTT: certificate authority of an encrypted broker",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `shopfloor doctor` takes."""
    parser.add_argument("url", nargs="?", help="opc.tcp://host:port, mqtt://, mqtts:// or modbus://")
    parser.add_argument("--config", type=Path, metavar="FILE", help="plant file; with --source, in place of a URL")
    parser.add_argument("--source", metavar="NAME", help="source of the plant file whose options are used")
    parser.add_argument("--security", metavar="POLICY", help="OPC UA: none (default), Basic256Sha256, …")
    parser.add_argument("--mode", choices=("SignAndEncrypt", "Sign"), help="OPC UA: what the policy does to messages")
    parser.add_argument("--user", metavar="NAME", help="user name")
    for name, text in _FILES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="FILE", help=text)
    parser.add_argument("--node", action="append", default=[], metavar="NODEID", help="OPC UA: a variable to look at")
    parser.add_argument("--topic", action="append", default=[], metavar="TOPIC", help="MQTT: what to listen to (#)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder of the gateway: its certificates")
    parser.add_argument("--seconds", type=positive, default=5.0, metavar="T", help="how long to wait for a change (5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object per step")


def run(args: argparse.Namespace) -> int:
    """Examine and print; 0 when nothing failed, 1 when something did."""
    plant = load(args.config) if args.config else None
    url, wanted = _of_source(plant, args) if plant or args.source else (args.url, _of_flags(args))
    if url is None:
        raise ConfigError("What shall be examined? Give an address, as in opc.tcp://192.168.0.10:4840.")
    return asyncio.run(_show(url, wanted, plant, args))


def _of_source(plant: PlantConfig | None, args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    if plant is None or args.source is None:
        raise ConfigError("--config and --source belong together: give the plant file and the name of a source in it.")
    return configured(plant, args.source)


def _of_flags(args: argparse.Namespace) -> dict[str, Any]:
    names = ("security", "mode", "user", *_FILES)
    wanted: dict[str, Any] = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if args.node:
        wanted["nodes"] = [{"node": node, "tag": f"site/area/line/cell/asset/{n}"} for n, node in enumerate(args.node)]
    if args.topic:
        wanted["topics"] = [{"topic": topic, "tag": "site/area/line/cell/asset/tag"} for topic in args.topic]
    return wanted


async def _show(url: str, wanted: dict[str, Any], plant: PlantConfig | None, args: argparse.Namespace) -> int:
    findings = []
    ladder = Ladder(max(map(len, steps_of(url))), colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    if not args.json:
        sys.stdout.write(_PASSWORD.sub(r"\1", url) + "\n")
    found = examine(url, wanted, plant=plant, data=args.data, seconds=args.seconds, mapped=args.source is not None)
    async for finding in found:
        findings.append(finding)
        lines = [json.dumps(finding.as_dict(), ensure_ascii=False)] if args.json else ladder.rung(finding)
        sys.stdout.writelines(f"{line}\n" for line in lines)
        sys.stdout.flush()
    if not args.json:
        sys.stdout.writelines(f"{line}\n" for line in ladder.end(findings))
    return int(any(finding.state is State.FAILED for finding in findings))


@dataclass(frozen=True, slots=True)
class Ladder:
    """Findings as lines of text; steps that were not reached share one.

    >>> list(Ladder(4).rung(Finding("port", State.FAILED, "Nothing listens there.", "Start it.")))
    ['  ✗ port  Nothing listens there.', '          → Start it.']
    """

    width: int
    colour: bool = False

    def rung(self, finding: Finding) -> Iterator[str]:
        """The lines of one step."""
        if finding.state is State.SKIPPED and finding.cause == NOT_REACHED:
            return
        mark = f"{_MARKS[finding.state]} {finding.step:{self.width}}"
        yield f"  {self._paint(mark, finding.state)}  {finding.why}".rstrip()
        if finding.fix:
            yield f"    {'':{self.width}}  → {finding.fix}"

    def end(self, findings: Sequence[Finding]) -> Iterator[str]:
        """What was not reached, and the result."""
        left = [finding.step for finding in findings if finding.cause == NOT_REACHED]
        if left:
            yield self._paint(f"  {_MARKS[State.SKIPPED]} not reached: {', '.join(left)}", State.SKIPPED)
        broken = [finding.step for finding in findings if finding.state is State.FAILED]
        state = State.FAILED if broken else State.OK
        yield self._paint(f"Fails at: {', '.join(broken)}." if broken else "The connection works.", state)

    def _paint(self, text: str, state: State) -> str:
        return f"\x1b[{_COLOURS[state]}m{text}\x1b[0m" if self.colour else text
