"""Every refusal that a page can meet, read from the code that raises it; what is filled in stands as 7."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from shopfloor.services import api

HERE = Path(api.__file__).parents[1]
MET_ON_PAGES = (
    "alarms", "production", "quality", "registry", "security", "work", "reports", "maintenance",
    "catalog.py", "errands.py", "read.py", "api/accounts.py", "api/login.py", "api/needs.py", "api/shelving.py",
    "api/quality.py", "api/history.py", "api/read.py", "api/aggregate.py", "api/setpoints.py", "api/production",
    "api/registry.py", "api/limit.py", "api/apart.py", "api/reports.py", "api/work_orders.py", "api/maintenance.py",
)  # fmt: skip
STOOD_IN = "7"
BEGINNINGS = f"{STOOD_IN}'"


def sentences() -> Iterator[str]:
    """The sentences of the refusals, wherever the parts behind the pages raise them."""
    for name in MET_ON_PAGES:
        place = HERE / name
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place] if place.exists() else []:
            yield from raised(ast.parse(file.read_text("utf-8")))


def raised(tree: ast.AST) -> Iterator[str]:
    """
    >>> list(raised(ast.parse("raise Refused(f'The stop {n} is over.')")))
    ['The stop 7 is over.']
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            if ast.unparse(node.exc.func) in NOT_FOR_PEOPLE:
                continue
            for argument in node.exc.args:
                text = written(argument)
                if text.endswith(".") and (text[0].isupper() or text[0] in BEGINNINGS):
                    yield text


NOT_FOR_PEOPLE = {"ConfigError", "RuntimeError", "AssertionError", "TypeError"}


def written(node: ast.expr) -> str:
    """The text that an expression makes, or nothing."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(STOOD_IN if isinstance(part, ast.FormattedValue) else written(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return written(node.left) + written(node.right)
    return ""
