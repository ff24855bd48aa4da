"""`shopfloor models`: which version of a model holds where; every step of its life, replay, and the audit."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import msgspec
from shopfloor.plant import ShopfloorError
from shopfloor.plant.chain import Head
from shopfloor.services.commands import model_replay, model_submit, model_watch
from shopfloor.services.registry.audit import verify

TOKEN: Final = "SHOPFLOOR_TOKEN"  # noqa: S105 (the name of a variable)
_HELP: Final = {
    "list": "every model, its champion, and what is proposed",
    "submit": model_submit.HELP,
    "promote": "make a version the champion of a scope",
    "approve": "promote the version that is proposed on a scope",
    "rollback": "let the champion before this one speak again",
    "shadow": "score a version beside the champion, without showing what it says",
    "rollout": "spread a version over a scope in waves, beginning with one line",
    "wave": "let what spreads over a scope come to its next wave now",
    "retire": "take a version out of use on a scope",
    "train": "learn anew from the newest history; what comes of it is proposed",
    "replay": model_replay.HELP,
    "watch-mlflow": model_watch.HELP,
    "audit": "check that nothing in the audit was changed or taken out; 1 when something was",
}


_OF_A_VERSION: Final = frozenset({"promote", "rollout", "shadow", "retire"})
_OF_A_SCOPE: Final = frozenset({"approve", "rollback", "wave"})
_GATED: Final = frozenset({"promote", "rollout"})
_REASONED: Final = frozenset({"rollback", "wave", "retire"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(_HELP))
    for action, help_text in _HELP.items():
        sub = actions.add_parser(action, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}.")
        if action == "audit":
            sub.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="data folder of the server")
            sub.add_argument("--head", type=_head, metavar="N:SHA256", help="a head that was noted earlier, elsewhere")
            continue
        sub.add_argument("--url", default="http://127.0.0.1:8000", help="the server (default: http://127.0.0.1:8000)")
        if action == "replay":
            model_replay.add_arguments(sub)
        if action == "submit":
            model_submit.add_arguments(sub)
        if action == "watch-mlflow":
            model_watch.add_arguments(sub)
        if action in _OF_A_VERSION | _OF_A_SCOPE:
            _add_step(sub, action)
    parser.epilog = f"{parser.epilog}\n\nA server on the network asks for a token: put it into {TOKEN}."


def _add_step(sub: argparse.ArgumentParser, action: str) -> None:
    sub.add_argument("name", help="the model, as in tool-life")
    if action in _OF_A_VERSION:
        sub.add_argument("number", type=int, help="the version")
    if action in _GATED:
        sub.add_argument("--override", action="store_true", help="although the gate refuses; needs --why")
    sub.add_argument("--scope", default="*", metavar="SELECTOR", help="as in 'delta/frames/*/cell-a' (default: *, all)")
    sub.add_argument("--by", required=True, metavar="PERSON", help="who decides")
    sub.add_argument("--why", default="", metavar="SENTENCE", required=action in _REASONED, help="why, for the audit")


def run(args: argparse.Namespace) -> int:
    """List, act or check."""
    if args.action in _ALONE:
        return _ALONE[args.action](args)
    token = os.environ.get(TOKEN, "")
    if args.action == "replay":
        return model_replay.run(args, lambda path, body: ask(args.url, path, token, body))
    if args.action == "submit":
        return model_submit.run(args, lambda path, content: ask(args.url, path, token, content))
    if args.action == "list":
        sys.stdout.write(f"{table(ask(args.url, 'registry', token))}\n")
        return 0
    if args.action == "train":
        said = ask(args.url, "registry/train", token, {})
        sys.stdout.write(f"{said['sentence']}\n")
        return 0
    body = {key: getattr(args, key) for key in ("number", "scope", "by", "why", "override") if hasattr(args, key)}
    event = ask(args.url, f"registry/{quote(args.name, safe='')}/{args.action}", token, body)
    sys.stdout.write(f"{_told(event)}\n")
    return 0


def ask(url: str, path: str, token: str, body: dict[str, Any] | bytes | None = None) -> Any:
    """What a server answers to JSON or to the bytes of a bundle; a refusal is raised in its own sentence."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    method = "GET" if body is None else "POST"
    content = msgspec.json.encode(body) if isinstance(body, dict) else body
    headers["Content-Type"] = "application/octet-stream" if isinstance(body, bytes) else "application/json"
    try:
        reply = httpx.request(
            method, f"{url.rstrip('/')}/api/v1/{path}", content=content, headers=headers, timeout=30, trust_env=False
        )  # fmt: skip
        said = reply.json()
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise ShopfloorError(
            f"No server answers at {url} ({problem}): start it, or name another with --url."
        ) from problem
    except ValueError as problem:
        raise ShopfloorError(f"{url} answers, but it is no Shopfloor server: name another with --url.") from problem
    if reply.is_error:
        detail = said.get("detail") if isinstance(said, dict) else None
        raise ShopfloorError(str(detail or f"{url} refuses without a reason ({reply.status_code})."))
    return said


def table(models: list[dict[str, Any]]) -> str:
    """Models as lines for people.

    >>> place = {"scope": "*", "champion": 2, "shadows": [3], "proposed": 3, "rollout": None, "alarm": ""}
    >>> print(table([{"name": "tool-life", "versions": [{}, {}, {}], "places": [place]}]))
    tool-life, 3 versions
      *  champion 2  compared 3  proposed 3
    """
    lines = []
    for model in models:
        several = len(model["versions"])
        lines.append(f"{model['name']}, {several} version{'s' * (several != 1)}")
        lines += [_line(place) for place in model["places"]]
    return "\n".join(lines) or "There is no model yet."


def _line(place: dict[str, Any]) -> str:
    rollout = place["rollout"]
    shown = [
        f"  {place['scope']}",
        f"champion {place['champion'] or 'none'}",
        f"compared {', '.join(map(str, place['shadows']))}" if place["shadows"] else "",
        f"proposed {place['proposed']}" if place["proposed"] else "",
        f"wave {rollout['wave'] + 1} of 4 of {rollout['number']}" if rollout else "",
        f"ALARM {place['alarm']}" if place["alarm"] else "",
    ]
    return "  ".join(part for part in shown if part)


def _told(event: dict[str, Any]) -> str:
    champion = event["after"]["champion"]
    return (
        f"{event['what']}: version {event['number']} of {event['name']} on {event['scope']};"
        f" the champion there is {champion or 'none'} (event {event['sequence']})."
    )


def _audit(args: argparse.Namespace) -> int:
    fault, (number, sha) = verify(args.data / "registry", args.head)
    sys.stdout.write(f"{fault or f'The audit is whole: {number} events.'}\nhead {number}:{sha}\n")
    return int(bool(fault))


def _head(text: str) -> Head:
    number, _, sha = text.partition(":")
    if not number.isdecimal() or len(sha) != 64:
        raise argparse.ArgumentTypeError(f"{text!r} is no head: expected N:SHA256, as `shopfloor models audit` says it")
    return int(number), sha


_ALONE: Final = {"audit": _audit, "watch-mlflow": model_watch.run}
"""Those that ask no server, or in their own way."""
