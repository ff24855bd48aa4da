"""The front end's own tests, and the rule that none of its tests may go missing where CI runs."""

from __future__ import annotations

import subprocess

import front_end
import pytest

pytestmark = pytest.mark.browser


def test_the_front_end_passes_its_own_tests() -> None:
    front_end.modules()
    command = [front_end.tool("npm"), "test", "--silent"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=front_end.DASHBOARDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", "Failed"), ("1", "Failed"), ("", "Skipped"), ("false", "Skipped")]
)
def test_what_is_missing_fails_in_ci_and_is_skipped_elsewhere(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: str
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(BaseException, match="There is no no-such-program") as raised:
        front_end.tool("no-such-program")
    assert raised.type.__name__ == outcome
