"""Every file below deploy/ is read and judged here, since not every machine has a container engine."""

from __future__ import annotations

import configparser
import re
import shutil
import stat
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from shopfloor.plant import config

DEPLOY = Path(__file__).parents[2] / "deploy"
ROOT = DEPLOY.parent
COMPOSE = DEPLOY / "compose"
PLANTS = [*sorted((DEPLOY / "plants").glob("*.yaml")), COMPOSE / "plant.yaml"]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PINNED = re.compile(r"[a-z0-9/._-]+:v?\d+\.\d+\.\d+[a-z0-9.-]*")
JUDGED = {".yaml", ".service", ".conf", ".sh", ".md"}


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())
    return document


def services() -> list[Any]:
    return [pytest.param(name, service, id=name) for name, service in compose()["services"].items()]


def test_every_file_has_its_judge() -> None:
    files = [path for path in DEPLOY.rglob("*") if path.is_file() and "secrets" not in path.parts]
    strange = [path.name for path in files if path.suffix not in JUDGED]
    assert sorted(strange) == [".gitignore", "Containerfile"]


@pytest.mark.parametrize("path", PLANTS, ids=lambda path: path.name)
def test_a_plant_file_is_right(path: Path) -> None:
    plant = config.load(path, environ={})
    kinds = {source.kind for source in plant.sources}
    config.check_options(plant, {kind: import_module(f"shopfloor.gateway.{kind}").CONNECTOR.options for kind in kinds})
    assert plant.assets


def test_sites_and_their_server_agree() -> None:
    central = config.load(DEPLOY / "plants/central.yaml")
    north = config.load(DEPLOY / "plants/site-north.yaml")
    assert set(north.tag_paths()) <= set(central.tag_paths())


@pytest.mark.parametrize(("name", "service"), services())
def test_a_service_is_pinned_and_closed(name: str, service: dict[str, Any]) -> None:
    assert PINNED.fullmatch(service["image"]), f"{name}: the image needs a full version"
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), "ports are for this machine only"
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["restart"] == "unless-stopped"
    assert not service.get("privileged")


@pytest.mark.parametrize(("name", "service"), services())
def test_a_service_names_what_exists(name: str, service: dict[str, Any]) -> None:
    document = compose()
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert (COMPOSE / source).exists() if source.startswith(".") else source in document["volumes"]
    assert set(service.get("secrets", [])) <= document["secrets"].keys()
    assert set(service.get("networks", [])) <= document["networks"].keys()
    assert set(service.get("depends_on", [])) <= document["services"].keys()


def test_no_password_is_written_down() -> None:
    for path in DEPLOY.rglob("*"):
        if path.is_file() and path.suffix in {".yaml", ".conf", ".service"}:
            for line in path.read_text().splitlines():
                found = re.search(r"(?i)(password|token|secret)[a-z_]*\s*[:=]\s*[\"']?([^\s\"',}\]]+)", line)
                assert not found or found[2].startswith(("/", "$", "secrets/", "{", "[", "loopback")), line


def test_secrets_are_made_at_random_and_kept(tmp_path: Path) -> None:
    shutil.copy(COMPOSE / "secrets.sh", tmp_path)
    read = [_secrets(tmp_path), _secrets(tmp_path)]
    assert read[0] == read[1]
    assert read[0].keys() == compose()["secrets"].keys()
    assert len(set(read[0].values())) == len(read[0])
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in read[0].values())
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def _secrets(folder: Path) -> dict[str, str]:
    subprocess.run(["sh", folder / "secrets.sh"], check=True)
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_the_plant_of_compose_fits_its_services() -> None:
    plant, document = config.load(COMPOSE / "plant.yaml"), compose()
    mounts = dict(volume.split(":")[:2][::-1] for volume in document["services"]["gateway"]["volumes"])
    assert plant.gateway.token_file is not None
    assert mounts[str(Path(plant.gateway.token_file).parent)] == "tokens"
    assert "tokens:/data/secrets" in document["services"]["server"]["volumes"]
    assert plant.server.security == "token"
    assert plant.gateway.server == f"http://server:{plant.server.port}"
    influx = document["services"]["influxdb"]["environment"]
    assert plant.store.influxdb is not None
    assert plant.store.influxdb.org == influx["DOCKER_INFLUXDB_INIT_ORG"]
    assert plant.store.influxdb.bucket == influx["DOCKER_INFLUXDB_INIT_BUCKET"]


def stages() -> dict[str, list[tuple[str, str]]]:
    """Instructions of each stage of the Containerfile, with continued lines joined."""
    text = (COMPOSE / "Containerfile").read_text().replace("\\\n", " ")
    found: dict[str, list[tuple[str, str]]] = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            if word == "FROM":
                found[rest.split(" AS ")[1]] = []
            next(reversed(found.values())).append((word, rest.strip()))
    return found


KNOWN = {
    "FROM",
    "ENV",
    "WORKDIR",
    "COPY",
    "RUN",
    "VOLUME",
    "STOPSIGNAL",
    "ENTRYPOINT",
    "USER",
    "EXPOSE",
    "HEALTHCHECK",
    "CMD",
}


def test_the_container_file_is_sound() -> None:
    for name, lines in stages().items():
        assert {word for word, _ in lines} <= KNOWN
        base = lines[0][1].split(" AS ")[0]
        assert base in stages() or PINNED.fullmatch(base), f"{name}: {base} needs a full version"
        for word, rest in lines:
            if word == "COPY" and not rest.startswith("--from="):
                assert all((ROOT / source).exists() for source in rest.split()[:-1]), rest


@pytest.mark.parametrize("name", ["server", "gateway"])
def test_an_image_runs_without_root_and_says_when_it_is_well(name: str) -> None:
    words = [word for word, _ in stages()[name]]
    lines = dict(stages()[name])
    assert lines["USER"] == "10001:10001"
    assert words.index("USER") > words.index("COPY")
    assert "CMD [" in lines["HEALTHCHECK"]
    assert yaml.safe_load(lines["CMD"])[0] == name
    assert compose()["services"][name]["build"]["target"] == name


def test_the_image_of_the_gateway_has_no_server_inside() -> None:
    install = dict(stages()["build-gateway"])["RUN"]
    assert "[gateway]" in install
    assert "server" not in install


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_hardened(path: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(path)
    service = parser["Service"]
    assert service["User"] not in {"", "root"}
    assert service["Restart"] == "always"
    assert all(service[key] == "yes" for key in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices"))
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert f"--data /var/lib/{service['StateDirectory']}" in service["ExecStart"]
    assert parser["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_a_unit(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_text(path.read_text().replace("/opt/shopfloor/bin/shopfloor", "/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    about_us = [line for line in done.stderr.splitlines() if path.name in line]
    assert about_us == []


@pytest.mark.foreign
@pytest.mark.skipif(shutil.which("mosquitto", path="/usr/sbin:/usr/bin") is None, reason="mosquitto is not installed")
def test_mosquitto_accepts_its_configuration(tmp_path: Path) -> None:
    text = (DEPLOY / "broker/mosquitto.conf").read_text().replace("/mosquitto/data", str(tmp_path))
    (tmp_path / "users").touch(mode=0o600)
    (tmp_path / "mosquitto.conf").write_text(text.replace("listener 1883", "listener 0 127.0.0.1\nuser root"))
    command = [shutil.which("mosquitto", path="/usr/sbin:/usr/bin"), "-c", str(tmp_path / "mosquitto.conf")]
    broker = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)
    assert broker.stderr is not None
    with broker.stderr as log:
        lines = []
        for line in log:
            lines.append(line)
            if "running" in line or "Error" in line:
                break
        broker.kill()
        broker.wait(10)
    assert "running" in lines[-1], lines


@pytest.mark.foreign
def test_nats_accepts_its_configuration(tmp_path: Path) -> None:
    binary = shutil.which("nats-server", path=f"{Path(sys.executable).parent}:/usr/bin:/usr/local/bin")
    if binary is None:
        pytest.skip("nats-server is not installed")
    done = subprocess.run(
        [binary, "-t", "-c", DEPLOY / "broker/nats.conf"],
        env={"MQTT_PASSWORD": "of-a-test"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "path", [*sorted(ROOT.glob("deploy/**/*.sh")), ROOT / "tests/prepare.sh"], ids=lambda p: p.name
)
def test_a_shell_script_parses(path: Path) -> None:
    subprocess.run(["sh", "-n", path], check=True)
    assert "set -eu" in path.read_text()
