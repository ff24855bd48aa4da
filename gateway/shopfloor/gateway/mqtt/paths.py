"""Paths into a JSON message: a small part of JSONPath (RFC 9535), compiled once for each form of message.

    a.b             the member b of the member a
    a[0]  a[-1]     an element of an array, counted from 0, or from its end
    a[*]  a.*       every element of an array, every member of an object
    ['x.y']         a name with a dot, a bracket or a quote in it; also in double quotes
    $.a             from the top of the message, where a path would else begin inside a sample

No filters, slices or recursive descent: a path that finds different things on different days explains nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final


class Absent(Enum):
    """What a path answers that leads nowhere; JSON's null is None, which is something else."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
Getter = Callable[[Any], Any]
_STEP: Final = re.compile(
    r"""\.?\[ (?: (?P<index>-?(?:0|[1-9][0-9]{0,8})) | (?P<all>\*) | '(?P<single>(?:[^'\\]|\\.)*)'
        | "(?P<double>(?:[^"\\]|\\.)*)" ) \] | \.? (?P<every>\*) (?=[.\[]|$) | \.? (?P<name>[^.\[\]*'"]+)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path: names, indices and None for every element. `rooted` means that it was written with a $.

    >>> path("line.spindle[0]['speed.rpm']").get({"line": {"spindle": [{"speed.rpm": 8000}]}})
    8000
    >>> path("a.b").get({"a": 1})
    <Absent.ABSENT: 'absent'>
    """

    text: str
    steps: tuple[str | int | None, ...]
    rooted: bool
    get: Getter

    @property
    def wild(self) -> bool:
        """Whether it leads to many."""
        return None in self.steps

    def every(self, message: Any) -> Iterator[tuple[str, Any]]:
        """Each element that a path with [*] leads to, and its own name: a member's, or its number from 0.

        Where the path breaks off, the element is `ABSENT`; an empty array simply has none.

        >>> list(path("s[*].v").every({"s": [{"v": 4}, {"v": 5}]}))
        [('0', 4), ('1', 5)]
        """
        return _every(message, self.steps, "")

    def nth(self, message: Any, n: int) -> Any:
        """What a path with [*] leads to for the n-th sample.

        >>> path("$.times[*]").nth({"times": [10, 20]}, 1)
        20
        """
        way = tuple(n if step is None else step for step in self.steps)
        return _getter(way)(message)


def path(text: str) -> Path:
    """Read a path; `ValueError` says where it cannot be understood."""
    rooted = text == "$" or text.startswith(("$.", "$["))
    at, steps = (1 if rooted else 0), []
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or (text[at] == "." and not (at or rooted)) or (at and text[at] not in ".["):
            raise ValueError(
                f"{text!r} is no path, from {text[at:]!r} on: write it as in a.b, a[0], a[*] or ['a name']"
            )
        steps.append(_step(found))
        at = found.end()
    if not steps and not rooted:
        raise ValueError("an empty path leads nowhere: write it as in a.b, or '$' for the whole message")
    return Path(text, tuple(steps), rooted, _getter(tuple(steps)))


def _step(found: re.Match[str]) -> str | int | None:
    if found["index"] is not None:
        return int(found["index"])
    if found["all"] or found["every"]:
        return None
    quoted = found["single"] if found["single"] is not None else found["double"]
    return found["name"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)


def _getter(steps: tuple[Any, ...]) -> Getter:
    if len(steps) == 1 and isinstance(steps[0], str):
        return _member(steps[0])

    def get(message: Any) -> Any:
        for step in steps:
            if not isinstance(message, dict if isinstance(step, str) else list):
                return ABSENT
            try:
                message = message[step]
            except (KeyError, IndexError):
                return ABSENT
        return message

    return get


def _member(name: str) -> Getter:
    def get(message: Any) -> Any:
        try:
            return message[name]
        except (KeyError, TypeError):
            return ABSENT

    return get


def _every(message: Any, steps: tuple[str | int | None, ...], name: str) -> Iterator[tuple[str, Any]]:
    if None not in steps:
        yield name, _getter(steps)(message)
        return
    wild = steps.index(None)
    holder = _getter(steps[:wild])(message)
    if not isinstance(holder, dict | list):
        yield name, ABSENT
        return
    for key, item in holder.items() if isinstance(holder, dict) else enumerate(holder):
        yield from _every(item, steps[wild + 1 :], str(key))
