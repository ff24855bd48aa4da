"""The command: help for everything, one sentence for every failure, and nothing imported that is not needed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from running_server import PLANT, POWER, running, until
from shopfloor.plant import Sample
from shopfloor.services.cli import COMMANDS, main
from shopfloor.services.security.trail import Trail, Wanted

COMMAND = [sys.executable, "-m", "shopfloor.services.cli"]


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"shopfloor {name}" in capsys.readouterr().out.partition("example:")[2]


def test_a_command_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fly"])
    assert ended.value.code == 2
    assert "invalid choice: 'fly'" in capsys.readouterr().err


def test_the_edge_needs_no_part_of_the_server() -> None:
    code = (
        "import sys; from shopfloor.services.cli import main\n"
        "try: main(['gateway', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'fastapi', 'uvicorn', 'sklearn', 'duckdb', 'treelite', 'numba', 'psutil'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_missing_package_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from shopfloor.services.cli import main; sys.exit(main(['server', '--help']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "`shopfloor server` needs uvicorn, which is not installed: run `pip install 'shopfloor[server]'`."
    )


def test_check_counts_or_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text(PLANT.replace("security: none}", 'security: none, everything: "delta/a/b/c/d"}'))
    assert main(["check", str(file)]) == 0
    assert capsys.readouterr().out == "ok: 3 assets, 12 tags, 1 source\n"
    file.write_text(PLANT.replace("security: none", "securty: none"))
    assert main(["check", str(file)]) == 2
    assert "securty" in capsys.readouterr().err
    assert main(["check", str(tmp_path / "nothing.yaml")]) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_the_ledger_is_a_table_and_1_when_it_does_not_balance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path) as server:
        server.feed(*(Sample(POWER, n, 1.0) for n in range(1500)))
        assert main(["ledger", "--url", server.url]) == 0
        said = capsys.readouterr().out
        assert "1,500" in said
        assert said.endswith("\nbalanced\n")
        assert main(["ledger", "--url", server.url, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["balanced"] is True
        server.accepted["machining"] += 2
        server.feed(Sample(POWER, 5000, 1.0))
        assert main(["ledger", "--url", server.url]) == 1
        assert "2 values are missing" in capsys.readouterr().out
    assert main(["ledger", "--url", server.url]) == 2
    assert "No server answers" in capsys.readouterr().err


def test_tokens_are_made_listed_and_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--data", str(tmp_path))
    assert main(["token", "create", "anna", *data]) == 0
    token = capsys.readouterr().out.strip()
    assert len(token) >= 43
    assert main(["token", "list", *data]) == 0
    listed = capsys.readouterr().out
    assert listed.startswith("anna  ")
    assert token not in listed
    assert main(["token", "revoke", "anna", *data]) == 0
    assert main(["token", "revoke", "anna", *data]) == 2
    assert "There is no token 'anna'" in capsys.readouterr().err


def test_the_server_runs_and_stops_at_sigterm(tmp_path: Path) -> None:
    config, data = tmp_path / "plant.yaml", tmp_path / "data"
    config.write_text(PLANT.replace("machine-tool", "mill"))
    command = [*COMMAND, "server", "--config", str(config), "--data", str(data), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        url = json.loads(server.stdout.readline().removeprefix("ready "))["server"]
        assert httpx.get(f"{url}/api/v1/health", trust_env=False).json()["status"] == "starting"
        second = run("server", "--config", config, "--data", data, "--port", "0")
        assert second.returncode == 2
        assert f"in use by another Shopfloor (process {server.pid})" in second.stderr
        taken = run("server", "--config", config, "--data", tmp_path / "other", "--port", url.rpartition(":")[2])
        assert (taken.returncode, len(taken.stderr.strip().splitlines())) == (2, 1)
        assert "is taken by another program" in taken.stderr
        server.send_signal(signal.SIGTERM)
        assert server.wait(5) == 0
        assert server.stderr.read() == ""


def test_the_first_start_on_a_network_address_asks_for_the_first_admin(tmp_path: Path) -> None:
    config, data = tmp_path / "plant.yaml", tmp_path / "data"
    config.write_text(PLANT + "server: {host: 0.0.0.0, security: token}\n")
    command = [*COMMAND, "server", "--config", str(config), "--data", str(data), "--port", "0"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server,
        ExitStack() as stack,
    ):
        assert server.stdout is not None
        assert server.stderr is not None
        port = json.loads(server.stdout.readline().removeprefix("ready "))["server"].rpartition(":")[2]
        stack.callback(server.kill)
        (code,) = re.findall(r"set-up code ([A-Z2-9-]{19})", server.stderr.readline())
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False) as client:
            assert client.get("/login").json() == {"setup": True, "accounts": False, "oidc": ""}
            assert client.get("/health").status_code == 401
            anna = {"name": "Anna", "password": "correct horse battery"}
            assert client.post("/setup", json={"code": "AAAA-AAAA-AAAA-AAAA", **anna}).status_code == 401
            assert client.post("/setup", json={"code": code, "name": "anna", "password": "short"}).status_code == 422
            assert client.post("/setup", json={"code": code, **anna}).json() == {"name": "anna"}
            assert client.get("/health").status_code == 200
            assert client.post("/setup", json={"code": code, **anna, "name": "ben"}).status_code == 401
        ben = run("account", "role", "anna", "--role", "viewer", "--data", data)
        assert (ben.returncode, "only admin" in ben.stderr) == (2, True)
        (data / "ben").write_text("a pass phrase of ben's no more\n")
        made = run("account", "create", "cara", "--role", "operator", "--password-file", data / "ben", "--data", data)
        assert made.stdout == "cara  operator  may sign in  last: never\n", made.stderr
        server.send_signal(signal.SIGTERM)
        assert server.wait(5) == 0
    with Trail.open(data / "audit") as trail:
        assert [entry["path"] for _, entry in trail.entries(Wanted())] == [
            "shopfloor account create", "/api/v1/setup", "/api/v1/setup", "/api/v1/setup",
        ]  # fmt: skip
        assert trail.fault() == ""


def test_a_demo_on_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused = run("demo", "--port", str(other.getsockname()[1]), "--data", tmp_path, "--no-browser")
    assert (refused.returncode, len(refused.stderr.strip().splitlines())) == (2, 1)
    assert until(lambda: "is taken by another program" in refused.stderr)


def test_ctrl_c_before_anything_is_loaded_is_silent() -> None:
    code = (
        "import sys; from shopfloor.services import cli\n"
        "class Pressed:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'shopfloor.plant': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "sys.exit(cli.main(['check', 'plant.yaml']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (130, "")


@pytest.mark.parametrize("body", ["[]", "{}", "5", '{"detail": "No."}'])
def test_a_ledger_from_something_else_is_one_sentence(
    body: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def get(*_: object, **__: object) -> httpx.Response:
        return httpx.Response(404 if "detail" in body else 200, text=body)

    monkeypatch.setattr(httpx, "get", get)
    assert main(["ledger", "--url", "http://127.0.0.1:1"]) == 2
    said = capsys.readouterr().err
    assert said in {"No.\n", "http://127.0.0.1:1 answers, but not with a ledger: name a Shopfloor server with --url.\n"}
