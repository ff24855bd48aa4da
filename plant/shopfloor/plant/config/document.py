"""YAML as plain values whose lines are known: the ground that every error sentence stands on.

YAML 1.2's core rules decide what a bare word is: `on`, `no`, `01` and `12:30` stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from shopfloor.plant.config.words import Path, guess, place
from shopfloor.plant.errors import ConfigError

LARGEST: Final = 4_000_000
_MOST_NODES: Final = 200_000
_DEEPEST: Final = 40
_CORE: Final = "tag:yaml.org,2002:"
_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "True": True, "false": False, "False": False}
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_VARIABLE_BODY: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong at a line and column (both from 1), said in one sentence."""

    line: int
    column: int
    sentence: str


@dataclass(slots=True)
class Document:
    """A plant file as plain dicts, lists and scalars, with the marks of every key and value.

    `unread` holds the paths whose value could not be read: nothing more is said about them.
    """

    name: str
    data: Any = None
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unread: set[Path] = field(default_factory=set)

    def blame(self, path: Path, sentence: str, *, key: bool = False) -> None:
        """Note a problem at a value, or at its key; the nearest known ancestor stands in for what is absent."""
        line, column = self._mark(path, key=key)
        self.add(line, column, sentence)

    def add(self, line: int, column: int, sentence: str) -> None:
        """Note a problem at a line and column (from 1); a sentence gets its full stop."""
        problem = Problem(line, column, sentence if sentence.endswith(("?", ".")) else sentence + ".")
        if problem not in self.problems:
            self.problems.append(problem)

    def _mark(self, path: Path, *, key: bool) -> tuple[int, int]:
        for known in (self.keys, self.values) if key else (self.values, self.keys):
            if path in known:
                return known[path]
        return self._mark(path[:-1], key=True) if path else (1, 1)

    def place(self, path: Path) -> str:
        """Where a path stands, in words."""
        return place(path, self.data)

    def raise_problems(self) -> None:
        """Raise every noted problem as one `ConfigError`, a line each, in the order of the file."""
        if self.problems:
            lines = [f"{self.name}:{p.line}:{p.column}: {p.sentence}" for p in sorted(self.problems)]
            raise ConfigError("\n".join(lines))


def parse(text: str, name: str, environ: Mapping[str, str]) -> Document:
    """Read YAML into plain values; what is no YAML raises `ConfigError` at once, the rest is noted in `problems`."""
    if len(text) > LARGEST:
        raise ConfigError(f"{name}: {len(text)} characters are too many: a plant file has at most {LARGEST}.")
    document = Document(name)
    node = _compose(document, text)
    if node is None:
        document.blame((), "the plant file is empty: begin with 'plant:' and its 'site' and 'title'.")
        document.raise_problems()
    assert node is not None  # noqa: S101 (raise_problems has raised)
    document.data = _Reader(document, environ).value(node, ())
    return document


def _compose(document: Document, text: str) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        column = problem.position - text.rfind("\n", 0, problem.position)
        document.add(line, column, f"the character U+{_code(problem.character):04X} cannot stand in YAML: remove it")
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        document.add(line, column, _syntax(problem))
    except RecursionError:
        document.add(1, 1, f"the plant file is nested too deeply: {_DEEPEST} levels are enough")
    else:
        return node
    document.raise_problems()
    return None


def _code(character: str | int) -> int:
    return character if isinstance(character, int) else ord(character)


def _syntax(problem: yaml.MarkedYAMLError) -> str:
    said = problem.problem or problem.context or "unreadable text"
    for pattern, sentence in _SYNTAX:
        if pattern in said:
            return sentence
    return f"this is no YAML ({said}): check the indentation, quotes and brackets around here."


_SYNTAX: Final = (
    (r"'\t'", "a tab stands where blanks were expected: indent with blanks only."),
    ("could not find expected ':'", "a ':' is missing after a key: write 'key: value'."),
    (
        "mapping values are not allowed here",
        "a ':' stands where none can: quote this value, or add the ':' that a key above lacks.",
    ),
    ("found undefined alias", "an alias (*name) has no anchor (&name) before it: define the anchor first."),
    ("found unexpected end of stream", "a quote is opened and never closed: close it."),
    ("but found another document", "a second document begins here: a plant file holds one, without a second '---'."),
    ("expected ',' or '}'", "a ',' or '}' is missing: close the braces or separate the keys by ','."),
    ("expected ',' or ']'", "a ',' or ']' is missing: close the brackets or separate the items by ','."),
    (
        "found unknown escape character",
        r"a backslash in double quotes begins no known escape: use single quotes or '\\'.",
    ),
    ("expected <block end>", "the indentation does not fit the lines above: align keys of one level in one column."),
)


class _Reader:
    """Turns nodes to values and keeps their marks."""

    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self.document = document
        self.environ = environ
        self.count = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.document.values[path] = _start(node)
        self.count += 1
        if self.count > _MOST_NODES or len(path) > _DEEPEST:
            self.document.blame(
                path, f"the plant file grows beyond {_MOST_NODES} values or {_DEEPEST} levels: use fewer aliases."
            )
            self.document.raise_problems()
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            self._check_tag(node, path, "seq")
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        self._check_tag(node, path, "map")
        result: dict[str, Any] = {}
        for key, child in node.value:
            name = self._key(key)
            if name is None:
                continue
            inner = (*path, name)
            if name in result:
                self._duplicate(key, inner)
                continue
            self.document.keys[inner] = _start(key)
            result[name] = self.value(child, inner)
        return result

    def _key(self, key: yaml.Node) -> str | None:
        if not isinstance(key, yaml.ScalarNode):
            self._note(key, "a key is a list or a map: a key is one word or text.")
            return None
        if key.value == "<<" and not key.style:
            self._note(
                key, "the merge key '<<' is not supported: repeat the keys, or give an anchor to the whole value."
            )
            return None
        return str(key.value)

    def _duplicate(self, key: yaml.Node, path: Path) -> None:
        first = self.document.keys[path][0]
        where = self.document.place(path[:-1])
        self._note(key, f"{path[-1]!r} is given twice in {where} (first in line {first}): keep one of them.")

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        text = self._substitute(str(node.value), path)
        self._check_tag(node, path, "null", "bool", "int", "float", "str", "timestamp", "value", "merge")
        return text if isinstance(node, yaml.ScalarNode) and node.style else bare(text)

    def _substitute(self, text: str, path: Path) -> str:
        return _VARIABLE.sub(lambda match: self._variable(match, path), text) if "${" in text else text

    def _variable(self, match: re.Match[str], path: Path) -> str:
        body = _VARIABLE_BODY.fullmatch(match[1])
        if body is None:
            self._unread(path, f"{match[0]!r} names no environment variable: write ${{NAME}} or ${{NAME:-default}}.")
            return ""
        found = self.environ.get(body[1], body[2])
        if found is None:
            hint = guess(body[1], self.environ) or f"set it, or write ${{{body[1]}:-default}}"
            self._unread(path, f"the environment variable {body[1]!r} is not set: {hint}")
            return ""
        return found

    def _check_tag(self, node: yaml.Node, path: Path, *known: str) -> None:
        if node.tag not in {_CORE + name for name in known}:
            self._unread(
                path, f"the YAML tag {node.tag.replace(_CORE, '!!')!r} is not allowed: write plain values only."
            )

    def _unread(self, path: Path, sentence: str) -> None:
        self.document.unread.add(path)
        self.document.blame(path, sentence)

    def _note(self, node: yaml.Node, sentence: str) -> None:
        self.document.add(*_start(node), sentence)


def bare(text: str) -> Any:
    """The value of an unquoted scalar after YAML 1.2's core rules.

    >>> bare("8000"), bare("0.5"), bare("true"), bare("no"), bare("01")
    (8000, 0.5, True, 'no', '01')
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) and not _leading_zero(text) else text


def _leading_zero(text: str) -> bool:
    digits = text.lstrip("+-")
    return digits.isdigit() and digits.startswith("0")


def _start(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def strings(data: Any, path: Path = ()) -> Iterable[tuple[Path, str]]:
    """Every text in plain values, with its path.

    >>> list(strings({"a": ["x", 1]}))
    [(('a', 0), 'x')]
    """
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from strings(value, (*path, key))
    elif isinstance(data, list):
        for i, value in enumerate(data):
            yield from strings(value, (*path, i))
