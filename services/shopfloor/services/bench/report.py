"""What was measured, as a page for people and as JSON; a new run replaces its own parts and keeps the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shopfloor.plant import ShopfloorError

Part = dict[str, Any]
Table = Callable[[Part], str]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of docs/benchmarks: name, first lines, order of its parts, how one becomes a table, and a chart."""

    name: str
    intro: str
    order: Sequence[str]
    table: Table
    chart: Callable[[Sequence[Part]], str] | None = None

    def publish(self, parts: Sequence[Part], folder: Path, command: str) -> list[Path]:
        """Write `<name>.json`, `<name>.md` and `<name>.svg`; answers the files."""
        folder.mkdir(parents=True, exist_ok=True)
        known = self._known(folder)
        known.update({part["name"]: {**part, "command": command} for part in parts})
        every = sorted(known.values(), key=lambda part: self._rank(part["name"]))
        written = [folder / f"{self.name}.json", folder / f"{self.name}.md"]
        written[0].write_text(json.dumps({"parts": every}, indent=1, ensure_ascii=False) + "\n")
        written[1].write_text(self.text(every))
        drawing = self.chart(every) if self.chart else ""
        if drawing:
            written.append(folder / f"{self.name}.svg")
            written[2].write_text(drawing)
        return written

    def text(self, parts: Sequence[Part]) -> str:
        """The page in Markdown."""
        lines = [self.intro.strip(), ""]
        if self.chart and self.chart(parts):
            lines += [f"![{self.name}]({self.name}.svg)", ""]
        for part in parts:
            lines += [f"## {part['title']}", ""]
            if part.get("bar"):
                lines += [f"Held to: {part['bar']}.", ""]
            lines += [self.table(part), "", f"<sub>{footnote(part)}</sub>", ""]
        return "\n".join(lines)

    def _rank(self, name: str) -> int:
        """Unknown parts, of another version of the bench, come last."""
        return list(self.order).index(name) if name in self.order else len(self.order)

    def _known(self, folder: Path) -> dict[str, Part]:
        file = folder / f"{self.name}.json"
        if not file.exists():
            return {}
        try:
            parts = json.loads(file.read_text())["parts"]
            return {part["name"]: part for part in parts}
        except (ValueError, KeyError, TypeError) as problem:
            raise ShopfloorError(f"{file} holds no results of the bench: move it away and run again.") from problem


def footnote(part: Mapping[str, Any]) -> str:
    """Machine, versions, date, load and command, in one line."""
    machine = part["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items() if number != "-")
    return (
        f"{machine['date']}; {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB;"
        f" {machine['system']}, Python {machine['python']}; load average {machine['load'][0]} at the start;"
        f" {versions}. `{part.get('command', '')}`"
    )


def rows(head: Sequence[str], body: Sequence[Sequence[str]], left: int = 1) -> str:
    """A Markdown table whose first `left` columns are aligned left.

    >>> print(rows(["a", "b"], [["x", "1"]]))
    | a | b |
    | --- | ---: |
    | x | 1 |
    """
    rule = ["---" if column < left else "---:" for column in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, rule, *body])


def number(value: float | None, digits: int = 0) -> str:
    """A number with thousands, or a dash."""
    return "-" if value is None else f"{value:,.{digits}f}"
