"""The audit: tampering is found, whatever row or order or end; a process killed between two steps leaves it whole."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from shopfloor.plant import StoreError
from shopfloor.services.registry.audit import ANCHOR, FILE, verify
from small_registry import EVERYWHERE, bundle, opened, submitted

ROWS = 7
FIRST_HASH = "0" * 64


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """The folder of a registry with seven events."""
    with opened(tmp_path) as registry:
        submitted(registry, tmp_path, 3)
        registry.shadow("life", 2, EVERYWHERE, "brain", "retrained")
        registry.promote("life", 2, EVERYWHERE, "anna", "better", override=True)
        registry.roll_back("life", EVERYWHERE, "ben", "worse")
        assert registry.revision == ROWS
    return tmp_path / "registry"


def run(folder: Path, *statements: str) -> None:
    with sqlite3.connect(folder / FILE) as db:
        for statement in statements:
            db.execute(statement)
    db.close()


def changed(n: int) -> Callable[[Path], None]:
    return lambda f: run(f, f"UPDATE event SET body = replace(body, 'by', 'By') WHERE sequence = {n}")


def taken_out(n: int) -> Callable[[Path], None]:
    return lambda f: run(f, f"DELETE FROM event WHERE sequence = {n}")


def swapped(n: int) -> Callable[[Path], None]:
    moves = ((n, -1), (n + 1, n), (-1, n + 1))
    return lambda f: run(f, *(f"UPDATE event SET sequence = {to} WHERE sequence = {of}" for of, to in moves))


def cut_after(n: int) -> Callable[[Path], None]:
    return lambda f: run(f, f"DELETE FROM event WHERE sequence > {n}", f"UPDATE sqlite_sequence SET seq = {n}")


TAMPERED: dict[str, Callable[[Path], object]] = {
    **{f"row {n} changed": changed(n) for n in range(1, ROWS + 1)},
    **{f"row {n} taken out": taken_out(n) for n in range(1, ROWS + 1)},
    **{f"rows {n} and {n + 1} swapped": swapped(n) for n in range(1, ROWS)},
    **{f"end cut after {n}": cut_after(n) for n in range(ROWS)},
    "all gone": lambda f: run(f, "DELETE FROM event", "DELETE FROM sqlite_sequence"),
    "a row added": lambda f: run(f, f"INSERT INTO event VALUES ({ROWS + 1}, '{{}}', '{FIRST_HASH}')"),
    "the anchor gone": lambda f: (f / ANCHOR).unlink(),
    "the anchor of another audit": lambda f: (f / ANCHOR).write_text(f"{ROWS}:{FIRST_HASH}\n"),
}


def test_an_untouched_audit_is_whole(told: Path) -> None:
    fault, (number, _) = verify(told)
    assert (fault, number) == ("", ROWS)


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_found_in_one_sentence_and_nothing_is_added(told: Path, how: str) -> None:
    TAMPERED[how](told)
    fault, _ = verify(told)
    assert fault.endswith((".", "end."))
    if how.startswith("row 1 changed"):
        assert "Row 1" in fault
    with opened(told.parent) as registry, pytest.raises(StoreError, match="not whole"):
        registry.submit(bundle(told.parent, 99), "anna")
    assert verify(told)[0] == fault, "opening it hides nothing"


def test_an_audit_written_anew_is_found_by_a_head_noted_elsewhere(told: Path, tmp_path: Path) -> None:
    noted = verify(told)[1]
    with opened(tmp_path / "other") as registry:
        submitted(registry, tmp_path / "other", 9)
    assert verify(tmp_path / "other" / "registry")[0] == ""
    assert "written anew" in verify(tmp_path / "other" / "registry", noted)[0]


def test_a_registry_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no registry"):
        verify(tmp_path)


LIFE = """
import sys
from pathlib import Path
from small_registry import EVERYWHERE, bundle, opened
folder = Path(sys.argv[1])
with opened(folder) as registry:
    seed = registry.revision * 1_000
    while True:
        seed += 1
        version = registry.submit(bundle(folder, seed), "child")
        registry.begin_with(version, EVERYWHERE)
        if version.number > 1:
            registry.promote("life", version.number, EVERYWHERE, "anna", "next", override=True)
            if version.number % 3 == 0:
                registry.roll_back("life", EVERYWHERE, "ben", "worse")
        print(registry.revision, flush=True)
"""


@pytest.mark.parametrize("rounds", [2, 7])
def test_a_killed_process_leaves_a_whole_audit_with_all_that_it_had_said(tmp_path: Path, rounds: int) -> None:
    """kill -9 between any two steps, several times over: a last step may be missing, never half there."""
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(LIFE), str(tmp_path)],
            stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}, text=True,
        ) as child:  # fmt: skip
            assert child.stdout is not None
            said = [int(child.stdout.readline()) for _ in range(rounds)][-1]
            child.send_signal(signal.SIGKILL)
        fault, (number, _) = verify(tmp_path / "registry")
        assert fault == ""
        assert number >= said
        with opened(tmp_path) as registry:
            place = registry.state.place("life", EVERYWHERE)
            assert place.champion is not None
            assert registry.bundles.fault(registry.state.version("life", place.champion).sha) == ""
