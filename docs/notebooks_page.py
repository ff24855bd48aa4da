"""Write docs/notebooks.md: run each notebook of docs/notebooks against a real server with a simulated past."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent / "tests"
sys.path[:0] = [str(TESTS / "services"), str(TESTS / "models" / "client")]

from running_server import PLANT, Running, plant, running, until  # noqa: E402 (found by the line above)
from strained import S, feed  # noqa: E402

HEAD = """# Notebooks that run

They were run when this page was written, by `make notebooks`, against a server with two days of three simulated
machines; a test runs them again. The scripts are in [notebooks](notebooks): open one in Jupyter or VS Code (percent
format), with `SHOPFLOOR_URL` and, where the server wants one, `SHOPFLOOR_TOKEN`.
"""
HOUR = 3600 * S
DAYS = 2


@contextlib.contextmanager
def past() -> Iterator[Running]:
    """A server that thinks, with machines whose heat rises before an overload and a bad part, up to now."""
    end = time.time_ns() // HOUR * HOUR
    lathes = plant(PLANT.replace("machine-tool", "lathe"))
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), lathes, thinks=True) as server:
        feed(server, end - DAYS * 24 * HOUR, end, 60, overload=True)
        feed(server, end, time.time_ns() + 1, 60, times=0)
        asked = {"start": (end - DAYS * 24 * HOUR) / 1e6, "end": end / 1e6}
        until(lambda: sum(one["end"] is not None for one in server.get("/alarms/journal", **asked)) == 60, 60)
        os.environ["SHOPFLOOR_END"] = time.strftime("%Y-%m-%dT%H", time.gmtime(end / 1e9))
        yield server


def cells(script: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of each cell: "text" or "code"."""
    for part in re.split(r"^# %%", script, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        if "[markdown]" in head:
            yield "text", re.sub(r"^# ?", "", body.strip(), flags=re.MULTILINE)
        else:
            yield "code", body.strip()


def played(script: Path, url: str) -> str:
    """The notebook as a page, with what each cell printed; the address is the usual one."""
    names: dict[str, object] = {"__name__": script.stem}
    os.environ["SHOPFLOOR_URL"] = url
    page = []
    for kind, text in cells(script.read_text("utf-8")):
        page.append(text if kind == "text" else f"```python\n{text}\n```")
        if kind == "code":
            with contextlib.redirect_stdout(io.StringIO()) as said:
                exec(compile(text, script.name, "exec"), names)  # noqa: S102 (our own script)
            page.append(f"```text\n{said.getvalue().strip()}\n```" if said.getvalue().strip() else "")
    return "\n\n".join(part for part in page if part).replace(url, "http://127.0.0.1:8000")


def main() -> None:
    """Run all, and write the page."""
    with past() as server:
        pages = [played(script, server.url) for script in sorted((HERE / "notebooks").glob("*.py"))]
    (HERE / "notebooks.md").write_text("\n\n".join([HEAD.strip(), *pages]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
