"""OPC UA security over real connections: every policy and mode, every login; against asyncua and node-opcua servers."""

from collections.abc import Callable
from pathlib import Path

import pytest
from asyncua import ua
from asyncua.server.user_managers import CertificateUserManager
from secure_servers import POLICIES, Issued, Stand, issue, node_server
from secure_sources import BEST, CLEAR, EVERY, Passwords, Tap, own, read, refusal, source, trusting


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
