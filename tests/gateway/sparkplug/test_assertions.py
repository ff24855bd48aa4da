"""How much of the Sparkplug specification the tests cover, assertion by assertion.

`assertions.csv` lists the ids of the specification with what stands behind each: tests, or the reason why not.
"""

import ast
import csv
import re
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
TABLE = FOLDER / "assertions.csv"
PAGE = FOLDER.parents[2] / "docs" / "sparkplug.md"
ALL = 303
"""What the specification's own sources hold; the table knows all but one (docs/sparkplug.md says why)."""
ROLES = {"edge", "host", "broker", "payload", "topic"}


def marked() -> dict[str, set[str]]:
    """Every id that a test in this folder is marked with -> those tests, as file::name."""
    found: dict[str, set[str]] = {}
    for file in sorted(FOLDER.glob("test_*.py")):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for name in ids(function):
                    found.setdefault(name, set()).add(f"{file.name}::{function.name}")
    return found


def ids(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.sparkplug":
            assert function.name.startswith("test_"), function.name
            yield from (ast.literal_eval(argument) for argument in decorator.args)


def rows() -> list[dict[str, str]]:
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_assertion_has_a_test_or_a_reason() -> None:
    table, tests = rows(), marked()
    names = [row["id"] for row in table]
    assert len(names) == len(set(names)) == ALL - 1
    assert set(tests) <= set(names), "a test is marked with an id that the specification does not have"
    for row in table:
        assert row["role"] in ROLES, row
        assert re.fullmatch(r"tck-id-[a-zA-Z0-9-]+", row["id"]), row
        if row["verdict"] == "covered":
            assert set(row["why"].split()) == tests.get(row["id"]), row
        else:
            assert row["id"] not in tests, row
            assert row["verdict"] in {"not covered", "not ours"}, row
            assert row["why"], row


def test_the_figure_in_the_documentation_is_the_figure_of_the_tests() -> None:
    covered = sum(row["verdict"] == "covered" for row in rows())
    sentence = f"{covered} of {ALL} covered"
    print(sentence)  # noqa: T201
    assert covered == len(marked())
    assert sentence in PAGE.read_text(), f"docs/sparkplug.md must say {sentence!r}"
