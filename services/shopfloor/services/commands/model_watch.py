"""`shopfloor models watch-mlflow`: an alias of MLflow that moves proposes the sealed bundle that its run holds."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Final

from shopfloor.plant import QuestionError, StoreError

if TYPE_CHECKING:
    from shopfloor.services.mlflow.watch import Watch

HELP: Final = "propose the sealed bundle of an MLflow version whenever an alias moves to it"
_EVERY_S: Final = 30.0


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """The command line."""
    sub.add_argument("--tracking", required=True, metavar="URI", help="the tracking server, as in http://HOST:5000")
    sub.add_argument("--model", required=True, metavar="NAME", help="the registered model of MLflow")
    sub.add_argument("--alias", required=True, metavar="NAME", help="the alias to watch, as in champion")
    sub.add_argument("--scope", default="*", metavar="SELECTOR", help="as in 'delta/frames/*/cell-a' (default: *, all)")
    sub.add_argument("--by", required=True, metavar="PERSON", help="in whose name it is proposed")
    sub.add_argument("--every", type=float, default=_EVERY_S, metavar="S", help="seconds between looks (default: 30)")
    sub.add_argument("--once", action="store_true", help="look once; a refusal is exit code 2")


def run(args: argparse.Namespace) -> int:
    """Look, and say one line for each move; a link that is away is said once, and tried again."""
    from shopfloor.models.client.server import Server
    from shopfloor.services.mlflow.tracking import Tracking
    from shopfloor.services.mlflow.watch import Watch, Wish

    wish = Wish(args.model, args.alias, args.scope, args.by)
    with Tracking.open(args.tracking) as tracking:
        watch = Watch(tracking, wish, Server(args.url))
        if args.once:
            _say(watch.look())
            return 0
        _watch(watch, args.every)
    return 0


def _watch(watch: Watch, every: float) -> None:
    """Until the process ends."""
    trouble = ""
    while True:
        try:
            said, trouble = watch.look(), ""
            _say(said)
        except (QuestionError, StoreError) as problem:
            if str(problem) != trouble:
                sys.stderr.write(f"{problem}\n")
            trouble = str(problem)
        time.sleep(every)


def _say(sentence: str) -> None:
    if sentence:
        sys.stdout.write(f"{sentence}\n")
        sys.stdout.flush()
