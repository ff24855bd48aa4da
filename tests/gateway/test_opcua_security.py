"""OPC UA security over real connections: policies, logins, trust, renewal; against asyncua and node-opcua servers."""

import asyncio
import stat
from argparse import Namespace
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.user_managers import CertificateUserManager
from secure_servers import DAY, POLICIES, Issued, Stand, issue, node_server, revocations
from shopfloor.gateway import certificates
from shopfloor.gateway.opcua import OpcuaOptions, OpcuaSource
from shopfloor.gateway.opcua.certificate import CertificateError, hosts_of, make, thumbprint, uri_of
from shopfloor.gateway.opcua.own import OwnCertificates, given
from shopfloor.gateway.opcua.security import Security
from shopfloor.gateway.opcua.trust import Trust, TrustList
from shopfloor.plant import SourceLost

ASSET = "delta/frames/machining/cell-a/cnc-01"
EVERY = [f"{policy}_{mode}" for policy in POLICIES for mode in ("Sign", "SignAndEncrypt")]
BEST = "Basic256Sha256_SignAndEncrypt"
CLEAR = b"Machines"


class Passwords:
    """The user manager of an asyncua server: anna, right."""

    def get_user(self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None) -> Any:
        return User(role=UserRole.User) if (username, password) == ("anna", "right") else None


class Tap:
    """A TCP link that keeps what passes."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.passed = b""

    async def __aenter__(self) -> "Tap":
        self.server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        await asyncio.sleep(0.05)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        with suppress(OSError):
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            self.passed += data
            writer.write(data)
        writer.close()


def source(port: int, data: Path | None, **more: Any) -> OpcuaSource:
    base = {
        "url": f"opc.tcp://127.0.0.1:{port}/secure",
        "security": "Basic256Sha256",
        "publishing_interval": "50ms",
        "assets": {"Machines/CNC-01": ASSET},
        "tags": {"Load": "load"},
    }
    options = OpcuaOptions.model_validate(base | more)
    return OpcuaSource("m", options, security=Security(options, data))


async def read(source: OpcuaSource) -> float:
    async with source.open() as batches, asyncio.timeout(15):
        return float(next(iter(await anext(batches))).value)


async def refusal(source: OpcuaSource) -> str:
    with pytest.raises(SourceLost) as caught:
        await read(source)
    return str(caught.value)


def trusting(data: Path, *servers: Issued) -> TrustList:
    """A data folder that trusts these servers."""
    trust = TrustList(data / "pki")
    for server in servers:
        trust.wait(server.certificate, "opc.tcp://test")
        trust.approve(thumbprint(server.certificate))
    return trust


def own(data: Path) -> Path:
    """The file of the certificate that the gateway makes for itself."""
    return OwnCertificates(data / "pki" / "own").pairs()[0].file


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    return issue(tmp_path_factory.mktemp("server"), "server")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def every_policy(port: int, data: Path, warned: Callable[[], str]) -> None:
    for policy in POLICIES:
        for mode in ("Sign", "SignAndEncrypt"):
            async with Tap(port) as tap:
                assert await read(source(tap.port, data, security=policy, mode=mode)) == 1.5
            name = policy.replace("Sha256Rsa", "_Sha256_Rsa").encode()
            assert b"SecurityPolicy#" + name in tap.passed
            assert (CLEAR in tap.passed) is (mode == "Sign"), (policy, mode)
    assert "The security policy Basic128Rsa15 of opc.tcp://" in warned()
    assert "The security policy Basic256 of opc.tcp://" in warned()
    assert "The security policy Basic256Sha256" not in warned()


async def test_every_policy_with_asyncua(
    stand: Stand, port: int, data: Path, tmp_path: Path, server: Issued, caplog: pytest.LogCaptureFixture
) -> None:
    trusting(data, server)
    (tmp_path / "clients").mkdir()
    (tmp_path / "clients" / "gateway.der").write_bytes(own(data).read_bytes())
    async with stand.serving(port, server, EVERY, clients=tmp_path / "clients"):
        await every_policy(port, data, lambda: caplog.text)


@pytest.mark.foreign
async def test_every_policy_and_login_with_node_opcua(
    port: int, data: Path, tmp_path: Path, server: Issued, caplog: pytest.LogCaptureFixture
) -> None:
    trusting(data, server)
    user, stranger, wrong = issue(tmp_path, "user"), issue(tmp_path, "stranger"), tmp_path / "wrong"
    wrong.write_text("wrong")
    (tmp_path / "right").write_text("right\n")
    with node_server(port, tmp_path, server, POLICIES, clients=[own(data)], users=[user.der]):
        await every_policy(port, data, lambda: caplog.text)
        assert await read(source(port, data, user="anna", password_file=str(tmp_path / "right"))) == 1.5
        said = await refusal(source(port, data, user="anna", password_file=str(wrong)))
        assert "does not accept this user" in said
        assert await read(source(port, data, user_certificate=str(user.der), user_key=str(user.pem))) == 1.5
        said = await refusal(source(port, data, user_certificate=str(stranger.der), user_key=str(stranger.pem)))
        assert "does not accept this user" in said
        said = await refusal(source(port, tmp_path / "other", server_certificate=str(server.der)))
        assert "does not trust this gateway's certificate (Bad" in said


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


def test_a_server_is_no_authority(tmp_path: Path) -> None:
    plc = issue(tmp_path, "plc")
    (tmp_path / "trusted" / "issuers").mkdir(parents=True)
    (tmp_path / "trusted" / "issuers" / "plc.der").write_bytes(plc.bytes)
    assert not TrustList(tmp_path).vouched(issue(tmp_path, "other", issuer=plc).certificate, [])


async def test_what_is_not_offered_is_not_replaced(stand: Stand, port: int, data: Path, server: Issued) -> None:
    trusting(data, server)
    async with stand.serving(port, server, ["NoSecurity", "Basic256Sha256_Sign"]):
        said = await refusal(source(port, data, security="Aes256Sha256RsaPss"))
        assert "does not offer the security Aes256Sha256RsaPss; it offers none, Basic256Sha256 Sign: choose" in said
        said = await refusal(source(port, data))
        assert "does not offer Basic256Sha256 with SignAndEncrypt; it offers none, Basic256Sha256 Sign: choose" in said
        assert await read(source(port, data, mode="Sign")) == 1.5
        assert await read(source(port, None, security="none")) == 1.5
    async with stand.serving(port, server, [BEST]):
        said = await refusal(source(port, data, security="none"))
        assert "security" in said.lower() or "lost" in said


async def test_user_names_with_asyncua(stand: Stand, port: int, data: Path, tmp_path: Path, server: Issued) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("right\n")
    wrong.write_text("wrong")
    trusting(data, server)
    login = {"user": "anna", "password_file": str(right)}
    async with stand.serving(port, server, ["NoSecurity", *reversed(EVERY)], users=Passwords()):
        assert await read(source(port, data, **login)) == 1.5
        assert await read(source(port, data, mode="Sign", **login)) == 1.5
        said = await refusal(source(port, data, user="anna", password_file=str(wrong)))
        assert "does not accept this user (BadUserAccessDenied): check 'user' and 'password_file'" in said
        async with Tap(port) as tap:
            said = await refusal(source(tap.port, data, security="none", **login))
        assert "takes the password in a form that others can read, so it was not sent" in said
        assert b"right" not in tap.passed
    async with stand.serving(port, server, ["NoSecurity", BEST], users=Passwords()), Tap(port) as tap:
        assert await read(source(tap.port, data, security="none", **login)) == 1.5
        assert CLEAR in tap.passed
        assert b"right" not in tap.passed
        said = await refusal(source(port, tmp_path / "fresh", security="none", **login))
        assert "not trusted here" in said
    async with stand.serving(port, None, ["NoSecurity"], users=Passwords()), Tap(port) as tap:
        said = await refusal(source(tap.port, data, security="none", **login))
        assert "so it was not sent: choose a 'security' other than none" in said
        assert b"right" not in tap.passed
    async with stand.serving(port, server, [BEST], tokens=[ua.AnonymousIdentityToken]):
        said = await refusal(source(port, data, **login))
        assert "takes no login by user name, only connections without a login: use one of these" in said


async def test_user_certificates_with_asyncua(
    stand: Stand, port: int, data: Path, tmp_path: Path, server: Issued
) -> None:
    user, stranger = issue(tmp_path, "user"), issue(tmp_path, "stranger")
    trusting(data, server)
    users = CertificateUserManager()
    await users.add_user(user.der, "anna")
    async with stand.serving(port, server, ["NoSecurity", BEST], users=users, tokens=[ua.X509IdentityToken]):
        login = {"user_certificate": str(user.der), "user_key": str(user.pem)}
        assert await read(source(port, data, **login)) == 1.5
        assert await read(source(port, data, security="none", **login)) == 1.5
        said = await refusal(source(port, data, user_certificate=str(stranger.der), user_key=str(stranger.pem)))
        assert "does not accept this user" in said
        said = await refusal(source(port, data, user_certificate=str(user.der), user_key=str(stranger.pem)))
        assert "is not the key of" in said
        said = await refusal(source(port, data))
        assert "lets nobody in without a login, only a login by user certificate: give 'user'" in said


async def test_a_server_that_does_not_know_this_gateway(
    stand: Stand, port: int, data: Path, tmp_path: Path, server: Issued
) -> None:
    trusting(data, server)
    (tmp_path / "clients").mkdir()
    (tmp_path / "clients" / "somebody.der").write_bytes(issue(tmp_path, "somebody").bytes)
    async with stand.serving(port, server, [BEST], clients=tmp_path / "clients"):
        said = await refusal(source(port, data))
        assert "does not trust this gateway's certificate (BadCertificateUntrusted): approve it there" in said
        assert "shopfloor certificate own" in said


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


def test_many_judge_at_the_same_time(tmp_path: Path) -> None:
    names = []
    trust = TrustList(tmp_path)
    for number in range(4):
        _, certificate = make(f"urn:{number}", ("h",))
        names.append(thumbprint(certificate))
        trust.wait(certificate, "opc.tcp://h")

    def judge(number: int) -> int:
        with suppress(CertificateError):
            [trust.approve, trust.reject][number % 2](names[number % 4])
        return len({one.thumbprint for one in TrustList(tmp_path).certificates()})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(judge, range(200)))
    assert sorted(one.thumbprint for one in trust.certificates()) == sorted(names)
    assert Trust.WAITING not in {one.state for one in trust.certificates()}


def test_strangers_do_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shopfloor.gateway.opcua.trust._WAITING", 3)
    trust = TrustList(tmp_path)
    for number in range(5):
        trust.wait(make(f"urn:{number}", ("h",))[1], "opc.tcp://h")
    assert sorted(one.application_uri for one in trust.certificates()) == ["urn:2", "urn:3", "urn:4"]
