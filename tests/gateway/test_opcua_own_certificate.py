"""The gateway's own certificate: made, checked, renewed without a stop; files of one's own."""

import stat
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from secure_servers import DAY, Issued, Stand, issue
from secure_sources import BEST, read, refusal, source, trusting
from shopfloor.gateway import certificates
from shopfloor.gateway.opcua.certificate import CertificateError, hosts_of, thumbprint, uri_of
from shopfloor.gateway.opcua.own import OwnCertificates, given
from shopfloor.gateway.opcua.trust import TrustList


async def test_a_renewal_stops_no_data(
    stand: Stand, port: int, data: Path, tmp_path: Path, server: Issued, caplog: pytest.LogCaptureFixture
) -> None:
    trusting(data, server)
    certificates_of = OwnCertificates(data / "pki" / "own")
    now = datetime.now(UTC)
    old = certificates_of.renew(now - timedelta(days=300))
    clients = tmp_path / "clients"
    clients.mkdir()
    (clients / "old.der").write_bytes(old.file.read_bytes())
    async with stand.serving(port, server, [BEST], clients=clients):
        one = source(port, data)
        assert await read(one) == 1.5
        new, before = certificates_of.pairs()
        assert before.certificate == old.certificate
        assert new.uri == old.uri == certificates_of.uri()
        assert new.expires > now + timedelta(days=360)
        assert f"does not trust this gateway's new certificate {thumbprint(new.certificate)} yet" in caplog.text
    caplog.clear()
    (clients / "new.der").write_bytes(new.file.read_bytes())
    async with stand.serving(port, server, [BEST], clients=clients):
        assert await read(one) == 1.5
    assert caplog.text == ""
    assert [pair.certificate for pair in certificates_of.pairs(old.expires + DAY)] == [new.certificate]


def test_the_own_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = OwnCertificates(tmp_path / "a" / "pki" / "own"), OwnCertificates(tmp_path / "b")
    (pair,) = first.pairs()
    assert stat.S_IMODE(pair.file.with_name("private_key.pem").stat().st_mode) == 0o600
    assert pair.key.key_size == 2048
    assert uri_of(pair.certificate) == first.uri()
    assert first.uri() != second.uri()
    assert hosts_of(pair.certificate)
    assert [one.certificate for one in first.pairs()] == [pair.certificate]
    early = pair.expires - timedelta(days=365 * 0.21)
    assert len(first.pairs(early)) == 1
    late = pair.expires - timedelta(days=365 * 0.19)
    assert [one.certificate for one in first.pairs(late)][1:] == [pair.certificate]
    certificates.run(Namespace(action="renew", data=tmp_path / "a"))
    shown = capsys.readouterr().out
    assert f"application URI  {first.uri()}\n" in shown
    assert f"before           {thumbprint(pair.certificate)}" in shown
    certificates.run(Namespace(action="own", data=tmp_path / "a"))
    assert shown.splitlines()[0] in capsys.readouterr().out


def test_an_expired_own_certificate_is_replaced(tmp_path: Path) -> None:
    own = OwnCertificates(tmp_path)
    old = own.renew(datetime.now(UTC) - timedelta(days=400))
    (new,) = own.pairs()
    assert new.certificate != old.certificate
    assert old.file.exists()


async def test_own_files_that_end_soon_are_announced_once(
    stand: Stand, port: int, tmp_path: Path, server: Issued, caplog: pytest.LogCaptureFixture
) -> None:
    mine = issue(tmp_path, "mine", days=(-300, 10))
    files = {"certificate": str(mine.der), "private_key": str(mine.pem), "server_certificate": str(server.der)}
    one = source(port, None, **files)
    async with stand.serving(port, server, [BEST]):
        assert [await read(one), await read(one)] == [1.5, 1.5]
    assert caplog.text.count(f"This gateway's certificate {mine.der} ends on") == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"days": (-10, -1)}, r"This gateway's certificate .*mine.der ended on [\d-]+: renew it"),
        ({"days": (1, 10)}, r"mine.der is valid only from [\d-]+ on: check the clock"),
        ({"uri": ""}, r"mine.der has no application URI: make one"),
    ],
)
def test_own_files_are_checked(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    mine = issue(tmp_path, "mine", **change)
    with pytest.raises(CertificateError, match=sentence):
        given(mine.der, mine.pem, None, datetime.now(UTC))


def test_own_files_must_fit(tmp_path: Path) -> None:
    mine, other, now = issue(tmp_path, "mine"), issue(tmp_path, "other"), datetime.now(UTC)
    assert given(mine.der.with_suffix(".pem"), mine.pem, "urn:test:server", now).uri == "urn:test:server"
    for certificate, key, uri, sentence in (
        (mine.der, other.pem, None, "is not the private key of"),
        (mine.der, mine.pem, "urn:else", "is for the application urn:test:server, 'application_uri' says urn:else"),
        (mine.pem, mine.pem, None, "holds no certificate"),
        (mine.der, mine.der, None, "holds no private key"),
        (tmp_path / "none", mine.pem, None, "cannot be read"),
    ):
        with pytest.raises(CertificateError, match=sentence):
            given(certificate, key, uri, now)


async def test_own_files_are_used(stand: Stand, port: int, data: Path, tmp_path: Path, server: Issued) -> None:
    mine = issue(tmp_path, "mine", uri="urn:mine")
    (tmp_path / "clients").mkdir()
    (tmp_path / "clients" / "mine.der").write_bytes(mine.bytes)
    files = {"certificate": str(mine.der), "private_key": str(mine.pem), "server_certificate": str(server.der)}
    async with stand.serving(port, server, [BEST], clients=tmp_path / "clients"):
        assert await read(source(port, None, **files)) == 1.5
        assert "needs the data folder of the gateway" in await refusal(source(port, None))
    assert TrustList(data / "pki").certificates() == []
