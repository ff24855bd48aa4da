"""Which OPC UA servers are trusted: approval, rejection, authorities, revocation, certificates for somebody else."""

import asyncio
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from secure_servers import Issued, Stand, issue
from secure_sources import BEST, read, refusal, revocations, source, trusting
from shopfloor.gateway import certificates
from shopfloor.gateway.conform import Conform
from shopfloor.gateway.opcua.certificate import CertificateError, make, split, thumbprint
from shopfloor.gateway.opcua.trust import Trust, TrustList
from shopfloor.gateway.pipeline import Feed
from shopfloor.gateway.spool import Committer, Spool
from shopfloor.gateway.state import SourceState, State


async def test_a_stranger_waits_until_a_person_approves(
    stand: Stand, port: int, data: Path, server: Issued, capsys: pytest.CaptureFixture[str]
) -> None:
    name = thumbprint(server.certificate)
    async with stand.serving(port, server, [BEST]):
        one = source(port, data)
        said = await refusal(one)
        assert said == (
            f"The server opc.tcp://127.0.0.1:{port}/secure shows a certificate that is not trusted here: {name}"
            f" (CN=server, valid {server.certificate.not_valid_before_utc:%Y-%m-%d} to"
            f" {server.certificate.not_valid_after_utc:%Y-%m-%d}): compare the thumbprint with the server's own, then"
            f" run `shopfloor certificate approve {name} --data {data}`, or approve it on the connections page."
        )
        assert await refusal(one) == said
        (known,) = TrustList(data / "pki").certificates()
        assert (known.state, known.thumbprint, known.application_uri) == (Trust.WAITING, name, "urn:test:server")
        assert known.url.startswith("opc.tcp://127.0.0.1")
        certificates.run(Namespace(action="list", data=data))
        assert f"waiting   {name}\n" in capsys.readouterr().out
        certificates.run(Namespace(action="approve", data=data, thumbprint=name[:10].lower()))
        assert capsys.readouterr().out == f"trusted: {name} CN=server\n"
        assert await read(one) == 1.5
        certificates.run(Namespace(action="reject", data=data, thumbprint=name))
        assert f"of the server opc.tcp://127.0.0.1:{port}/secure was rejected here" in await refusal(one)
        certificates.run(Namespace(action="forget", data=data, thumbprint=name))
        assert TrustList(data / "pki").certificates() == []
        assert "not trusted here" in await refusal(one)
    with pytest.raises(CertificateError, match="give at least 8 characters"):
        TrustList(data / "pki").approve(name[:7])


async def test_a_running_source_connects_by_itself_after_the_approval(
    stand: Stand, port: int, data: Path, server: Issued, plant: Any, wait_until: Callable[..., Any]
) -> None:
    state = SourceState("m")
    with Spool.open(data, "edge") as spool:
        committer = Committer(spool)
        feed = Feed(source(port, data), state, committer, Conform(plant))
        async with stand.serving(port, server, [BEST]), committer.running():
            running = asyncio.create_task(feed.run())
            await wait_until(lambda: "not trusted here" in state.detail)
            await asyncio.sleep(1.5)
            assert state.state is State.WAITING
            TrustList(data / "pki").approve(thumbprint(server.certificate))
            await wait_until(lambda: state.values > 0)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"days": (-10, -1)}, "The certificate of the server {url} ended on {end:%Y-%m-%d}: renew it at the server"),
        ({"days": (1, 10)}, "is valid only from {start:%Y-%m-%d %H:%M} UTC on: set the clocks"),
        ({"uri": "urn:other"}, "says that it is urn:test:server, its certificate is for urn:other: renew"),
        ({"hosts": ("plc-17",)}, "is for plc-17, not for 127.0.0.1: use that name in the URL"),
    ],
)
async def test_a_certificate_that_is_not_for_this_server(
    stand: Stand, port: int, data: Path, tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    odd = issue(tmp_path, "odd", **change)
    trusting(data, odd)
    async with stand.serving(port, odd, [BEST]):
        expected = sentence.format(
            url=f"opc.tcp://127.0.0.1:{port}/secure",
            start=odd.certificate.not_valid_before_utc,
            end=odd.certificate.not_valid_after_utc,
        )
        assert expected in await refusal(source(port, data))
        pinned = source(port, data, server_certificate=str(odd.der))
        if "days" in change:
            assert expected in await refusal(pinned)
        else:
            assert await read(pinned) == 1.5


async def test_a_pinned_certificate_and_no_other(
    stand: Stand, port: int, data: Path, tmp_path: Path, server: Issued
) -> None:
    other = issue(tmp_path, "other")
    trusting(data, server)
    async with stand.serving(port, server, [BEST]):
        assert "which is not the one in" in await refusal(source(port, data, server_certificate=str(other.der)))
        said = await refusal(source(port, data, server_certificate=str(tmp_path / "none.der")))
        assert f"The server certificate file {tmp_path / 'none.der'} cannot be read" in said


async def test_an_authority_vouches_for_servers_until_it_revokes_them(
    stand: Stand, port: int, data: Path, tmp_path: Path
) -> None:
    root = issue(tmp_path, "root", authority=True)
    plc = issue(tmp_path, "plc", issuer=root)
    stranger = issue(tmp_path, "no-root", authority=True)
    trusted = data / "pki" / "trusted"
    (trusted / "issuers").mkdir(parents=True)
    (trusted / "revoked").mkdir()
    (trusted / "issuers" / "stranger.der").write_bytes(stranger.bytes)
    async with stand.serving(port, plc, [BEST]):
        assert "not trusted here" in await refusal(source(port, data))
        (trusted / "issuers" / "root.pem").write_bytes(root.der.with_suffix(".pem").read_bytes())
        assert await read(source(port, data)) == 1.5
        (trusted / "revoked" / "forged.crl").write_bytes(revocations(root, plc, signer=stranger))
        assert await read(source(port, data)) == 1.5
        (trusted / "revoked" / "root.crl").write_bytes(revocations(root, plc, signer=root))
        assert "was revoked by the authority that issued it: give the server a new" in await refusal(source(port, data))


@pytest.mark.parametrize("days", [(-400, -1), (-1, -0.5)])
def test_an_authority_that_ended_vouches_for_nobody(tmp_path: Path, days: tuple[float, float]) -> None:
    root = issue(tmp_path, "root", authority=True, days=days)
    (tmp_path / "trusted" / "issuers").mkdir(parents=True)
    (tmp_path / "trusted" / "issuers" / "root.der").write_bytes(root.bytes)
    assert not TrustList(tmp_path).vouched(issue(tmp_path, "plc", issuer=root).certificate, [])


def test_an_authority_vouches_through_the_chain_that_the_server_sends(tmp_path: Path) -> None:
    root = issue(tmp_path, "root", authority=True)
    works = issue(tmp_path, "works", issuer=root, authority=True)
    plc = issue(tmp_path, "plc", issuer=works)
    (tmp_path / "trusted" / "issuers").mkdir(parents=True)
    (tmp_path / "trusted" / "issuers" / "root.der").write_bytes(root.bytes)
    leaf, *chain = split(plc.bytes + works.bytes)
    assert TrustList(tmp_path).vouched(leaf, chain)
    assert not TrustList(tmp_path).vouched(leaf, [])


def test_a_server_is_no_authority(tmp_path: Path) -> None:
    plc = issue(tmp_path, "plc")
    (tmp_path / "trusted" / "issuers").mkdir(parents=True)
    (tmp_path / "trusted" / "issuers" / "plc.der").write_bytes(plc.bytes)
    assert not TrustList(tmp_path).vouched(issue(tmp_path, "other", issuer=plc).certificate, [])


def test_many_judge_at_the_same_time(tmp_path: Path) -> None:
    names = []
    trust = TrustList(tmp_path)
    for number in range(4):
        _, certificate = make(f"urn:{number}", ("h",))
        names.append(thumbprint(certificate))
        trust.wait(certificate, "opc.tcp://h")

    code = "import sys; from secure_sources import judge; judge(sys.argv[1], sys.argv[3:], int(sys.argv[2]))"
    paths = {"PYTHONPATH": str(Path(__file__).parents[1])}
    judges = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(offset), *names], env=os.environ | paths)
        for offset in range(2)
    ]
    assert [one.wait(60) for one in judges] == [0, 0]
    assert sorted(one.thumbprint for one in trust.certificates()) == sorted(names)
    assert Trust.WAITING not in {one.state for one in trust.certificates()}


def test_strangers_do_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shopfloor.gateway.opcua.trust._WAITING", 3)
    trust = TrustList(tmp_path)
    for number in range(5):
        trust.wait(make(f"urn:{number}", ("h",))[1], "opc.tcp://h")
    assert sorted(one.application_uri for one in trust.certificates()) == ["urn:2", "urn:3", "urn:4"]
