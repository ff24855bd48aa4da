"""The `shopfloor` command. Each subcommand is imported only when it is asked for, so the edge needs no server parts."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from shopfloor.gateway.version import installed_version


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand: the module that has `add_arguments` and `run`, the extra that it needs, and its help."""

    module: str
    extra: str
    help: str
    example: str


COMMANDS: Final = {
    "demo": Command(
        "shopfloor.services.supervise", "demo", "start a whole plant on this machine", "shopfloor demo --port 8000"
    ),
    "server": Command(
        "shopfloor.services.server",
        "server",
        "store, judge, predict and serve the pages",
        "shopfloor server --config plant.yaml --data /var/lib/shopfloor",
    ),
    "gateway": Command(
        "shopfloor.gateway.main",
        "gateway",
        "collect values and forward them to a server",
        "shopfloor gateway --config plant.yaml --data /var/lib/shopfloor-gateway --token-file gateway.token",
    ),
    "simulate": Command(
        "shopfloor.simulators.main",
        "simulators",
        "simulate a line over OPC UA or MQTT",
        "shopfloor simulate machining --opcua-port 4840 --seed 1 --state state",
    ),
    "replay": Command(
        "shopfloor.simulators.replay",
        "simulators",
        "serve a recording as a live device",
        "shopfloor replay recording.csv --as opcua --speed 10",
    ),
    "browse": Command(
        "shopfloor.gateway.browse",
        "gateway",
        "show what an OPC UA server or broker offers",
        "shopfloor browse opc.tcp://127.0.0.1:4840",
    ),
    "doctor": Command(
        "shopfloor.services.commands.doctor",
        "gateway",
        "say why a connection does not work, and the fix",
        "shopfloor doctor opc.tcp://192.168.0.10:4840",
    ),
    "certificate": Command(
        "shopfloor.gateway.certificates",
        "gateway",
        "approve and reject OPC UA servers; show and renew the gateway's own certificate",
        "shopfloor certificate list --data /var/lib/shopfloor-gateway",
    ),
    "check": Command(
        "shopfloor.services.commands.check", "gateway", "check a plant file", "shopfloor check plant.yaml"
    ),
    "bundle": Command(
        "shopfloor.services.commands.bundle",
        "models",
        "prove a sealed model before a line may use it, show what it says of itself, or write it as one file",
        "shopfloor bundle verify tool-life.shopfloor",
    ),
    "ledger": Command(
        "shopfloor.services.commands.ledger",
        "gateway",
        "account for every value; 1 when it does not balance",
        "shopfloor ledger --url http://127.0.0.1:8000",
    ),
    "models": Command(
        "shopfloor.services.commands.models",
        "server",
        "list, replay, promote and roll back models; check their audit",
        "shopfloor models promote tool-life 2 --scope 'delta/frames/*/cell-a' --by Anna",
    ),
    "backup": Command(
        "shopfloor.services.commands.backup",
        "server",
        "copy a data folder at one moment, while its server runs on",
        "shopfloor backup /backups/2026-01-31 --data data --since /backups/2026-01-30",
    ),
    "restore": Command(
        "shopfloor.services.commands.restore",
        "server",
        "bring a backup back into an empty data folder",
        "shopfloor restore /backups/2026-01-31 --data data",
    ),
    "verify": Command(
        "shopfloor.services.commands.verify",
        "server",
        "check every stored value; 1 when a part is damaged",
        "shopfloor verify --data data",
    ),
    "repair": Command(
        "shopfloor.services.commands.repair",
        "server",
        "save what can be read of a store with bad pages; 1 when something is lost",
        "shopfloor repair --data data",
    ),
    "export": Command(
        "shopfloor.services.commands.export",
        "server",
        "write values of a store into a CSV, Parquet or line protocol file",
        "shopfloor export powers.csv --data data --tags 'delta/*/*/*/*/spindle.power' --start 2026-01-01",
    ),
    "refused": Command(
        "shopfloor.services.commands.refused",
        "server",
        "show the values that server stores refused; 1 when there are some",
        "shopfloor refused again.lp --data data",
    ),
    "import": Command(
        "shopfloor.services.commands.importing",
        "server",
        "bring the values of a file or a folder into a store, once",
        "shopfloor import history.csv --url http://127.0.0.1:8000 --data data",
    ),
    "train": Command(
        "shopfloor.services.commands.train",
        "demo",
        "learn a model from a table, with an honest score and a card; 1 when it must not be used",
        "shopfloor train parts.csv --target scrap --asset machine --time finished",
    ),
    "bench": Command(
        "shopfloor.services.bench.main",
        "demo",
        "measure this machine, beside the peers",
        "shopfloor bench ingest --only bulk,plain",
    ),
    "account": Command(
        "shopfloor.services.commands.account",
        "server",
        "make, list and change the accounts of people",
        "shopfloor account create anna --role engineer --data data",
    ),
    "token": Command(
        "shopfloor.services.commands.token",
        "server",
        "make, list and revoke tokens for people and programs",
        "shopfloor token create anna --data data",
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0: well; 1: the answer is no; 2: it could not be done, in one sentence; 130: interrupted."""
    try:
        if arguments is None:
            return _run_or_say(sys.argv[1:], own=True)
        return _run_or_say(list(arguments), own=False)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run_or_say(arguments: list[str], *, own: bool) -> int:
    """Everything large is imported in here, where an early Ctrl-C is caught. `own`: the process is this command's."""
    from shopfloor.plant import ShopfloorError
    from shopfloor.plant.arrow import without_pandas

    try:
        if own:
            without_pandas()
        return _run(arguments)
    except ShopfloorError as problem:
        print(problem, file=sys.stderr)
        return 2


def _run(arguments: list[str]) -> int:
    name = arguments[0] if arguments else "--help"
    if name not in COMMANDS:
        _overview().parse_args(arguments or ["--help"])
        return 2
    command = COMMANDS[name]
    module = _load(name, command)
    parser = argparse.ArgumentParser(
        prog=f"shopfloor {name}",
        description=f"{command.help[0].upper()}{command.help[1:]}.",
        epilog=f"example:\n  {command.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(arguments[1:])))


def _overview() -> argparse.ArgumentParser:
    """The help that names every command; nothing but `--help` and `--version` is accepted by it."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {command.help}" for name, command in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="shopfloor",
        description="The open industrial brain for a plant.",
        epilog="\n".join(["commands:", *lines, "", "`shopfloor COMMAND --help` says more."]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"shopfloor {installed_version()}")
    parser.add_argument("command", metavar="COMMAND", choices=list(COMMANDS))
    return parser


def _load(name: str, command: Command) -> ModuleType:
    """Import it without the collector, which would look through what stays again and again: a sixth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(command.module)
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("shopfloor"):
            raise
        from shopfloor.plant import ShopfloorError

        raise ShopfloorError(
            f"`shopfloor {name}` needs {missing.name}, which is not installed: run"
            f" `pip install 'shopfloor[{command.extra}]'`."
        ) from missing
    finally:
        gc.freeze()
        if was:
            gc.enable()


if __name__ == "__main__":
    sys.exit(main())
