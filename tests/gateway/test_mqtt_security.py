"""TLS, client certificates and passwords against a real broker: the right ones get in, every wrong one is explained."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from brokers import Broker, mosquitto_broker, running
from mqtt_certificates import Authority
from shopfloor.gateway.mqtt import CONNECTOR, MqttOptions, access
from shopfloor.gateway.mqtt.connection import Connection
from shopfloor.gateway.mqtt.wire import Hello
from shopfloor.plant import Sample, SourceLost
from shopfloor.plant.config import BrokerSection

TAG = "delta/frames/machining/cell-a/cnc-01/load"


@dataclass
class House:
    """A broker behind TLS that knows one user, and what its clients need."""

    broker: Broker
    authority: Authority
    stranger: Authority
    folder: Path

    @property
    def url(self) -> str:
        return self.broker.url.replace("mqtt://", "mqtts://")

    def options(self, **change: Any) -> BrokerSection:
        given = {"url": self.url, "ca_file": str(self.authority.file), "user": "line", "password_file": self.secret()}
        return BrokerSection.model_validate({k: v for k, v in {**given, **change}.items() if v is not None})

    def secret(self, text: str = "open sesame") -> str:
        file = self.folder / f"{len(text)}.password"
        file.write_text(f"{text}\n")
        return str(file)

    def own(self, authority: Authority) -> dict[str, str]:
        certificate, key = authority.issue("gateway")
        return {"certificate": str(certificate), "private_key": str(key)}


@pytest.fixture(params=[False, True], ids=["password", "certificate"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    authority, stranger = Authority(tmp_path, "authority"), Authority(tmp_path, "stranger")
    certificate, key = authority.issue("broker")
    passwords = tmp_path / "passwords"
    passwords.touch()
    more = f"cafile {authority.file}\ncertfile {certificate}\nkeyfile {key}\n"
    if request.param:
        more += "require_certificate true\nuse_identity_as_username true\n"
    else:
        more += f"password_file {passwords}\n"
    broker = mosquitto_broker(tmp_path, more=more, anonymous=False)
    subprocess.run(["mosquitto_passwd", "-b", str(passwords), "line", "open sesame"], check=True)
    passwords.chmod(0o644)
    with running(broker):
        yield House(broker, authority, stranger, tmp_path)


async def refusal(options: BrokerSection) -> str:
    link = Connection(options, Hello("gateway", user=options.user, password=access.password(options)))
    with pytest.raises(SourceLost) as lost:
        await link.connect(["f/+"])
    await link.close()
    assert "sesame" not in str(lost.value)
    return str(lost.value)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_values_come_through_tls(house: House, plant: Any, version: str, request: Any) -> None:
    certificate = "certificate" in request.node.callspec.id.split("-")
    options = house.options(version=version, **(house.own(house.authority) if certificate else {}))
    topics = [{"topic": "f/{tag}", "value": "v", "time": "t", "tag": TAG.replace("load", "{tag}")}]
    given = options.model_dump(exclude_none=True, mode="json") | {"keepalive": "15s", "topics": topics}
    source = CONNECTOR.build("tls", MqttOptions.model_validate(given), plant, house.folder)
    async with source.open() as batches:
        assert source.link is not None
        await source.link.publish([("f/load", b'{"v": 4.5, "t": 1700000000000}')])
        batch = await anext(batches)
    assert list(batch) == [Sample(TAG, 1_700_000_000_000_000_000, 4.5)]


async def test_a_broker_of_another_authority_is_not_trusted(house: House) -> None:
    said = await refusal(house.options(ca_file=str(house.stranger.file)))
    assert "shows a certificate that is not trusted" in said
    assert "name its authority by 'ca_file'" in said


async def test_a_broker_under_another_name_is_not_trusted(house: House) -> None:
    said = await refusal(house.options(url=house.url.replace("127.0.0.1", "localhost")))
    assert "shows a certificate that is not trusted" in said
    assert "localhost" in said


async def test_the_encrypted_port_is_no_plain_one_and_the_other_way_round(house: House, tmp_path: Path) -> None:
    plain = BrokerSection(url=house.broker.url)
    assert "closed the link before it answered" in await refusal(plain)
    with running(mosquitto_broker(tmp_path)) as other:
        said = await refusal(house.options(url=other.url.replace("mqtt://", "mqtts://")))
    assert "does not agree on TLS" in said


async def test_who_may_not_enter_is_told_why(house: House, request: Any) -> None:
    if "certificate" in request.node.callspec.id:
        assert "certificate" in await refusal(house.options())
        assert "certificate" in await refusal(house.options(**house.own(house.stranger)))
        return
    for wrong in (
        {"password_file": house.secret("wrong")},
        {"user": "nobody"},
        {"user": None, "password_file": None},
    ):
        said = await refusal(house.options(**wrong))
        assert said.startswith(f"The broker {house.url} refuses this client (")
        assert said.endswith("): check 'user' and 'password_file'.")


async def test_files_that_cannot_be_used_are_named(house: House, tmp_path: Path) -> None:
    odd = tmp_path / "odd.pem"
    odd.write_text("no certificate")
    certificate, _ = house.authority.issue("one")
    _, key = house.authority.issue("two")
    for change, sentence in (
        ({"ca_file": str(odd)}, f"The certificate file {odd} cannot be used"),
        ({"ca_file": str(tmp_path / "none")}, "cannot be used (No such file or directory)"),
        ({"certificate": str(certificate), "private_key": str(key)}, f"The client certificate {certificate} cannot"),
    ):
        assert sentence in await refusal(house.options(**change))
    with pytest.raises(SourceLost, match=r"The password file .* cannot be read \(No such file or directory\)"):
        access.password(house.options(password_file=str(tmp_path / "none")))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"certificate": "a.pem"}, "belong together"),
        ({"ca_file": "a.pem"}, "write mqtts://"),
        ({"password_file": "a"}, "name the user as well"),
    ],
)
def test_half_a_login_is_a_configuration_error(change: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        BrokerSection.model_validate({"url": "mqtt://127.0.0.1", **change})
