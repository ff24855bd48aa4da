"""How a user is shown to a server: the strongest protection that it offers, never a password that others can read."""

from __future__ import annotations

import dataclasses
from typing import Final

from asyncua import Client, ua
from asyncua.crypto import security_policies
from shopfloor.gateway.opcua.answers import answered
from shopfloor.gateway.opcua.refusal import Refusal

_STRONG: Final = ("Aes256Sha256RsaPss", "Basic256Sha256", "Aes128Sha256RsaOaep")
_NONE: Final = security_policies.SecurityPolicyNone.URI
_NAMES: Final = {
    ua.UserTokenType.Anonymous: "connections without a login",
    ua.UserTokenType.UserName: "a login by user name",
    ua.UserTokenType.Certificate: "a login by user certificate",
    ua.UserTokenType.IssuedToken: "a login by token",
}
_FIXES: Final = {
    ua.UserTokenType.Anonymous: "give 'user' and 'password_file', or 'user_certificate' and 'user_key'",
    ua.UserTokenType.UserName: "use one of these, or allow user names at the server",
    ua.UserTokenType.Certificate: "use one of these, or allow user certificates at the server",
}


def policy_of(name: str) -> type[security_policies.SecurityPolicy]:
    """The class of a policy by its name in the plant file; `none` is one of them."""
    suffix = "None" if name == "none" else name
    found: type[security_policies.SecurityPolicy] = getattr(security_policies, f"SecurityPolicy{suffix}")
    return found


class SecureClient(Client):  # type: ignore[misc]
    """asyncua's client, which chooses how a login is protected and which server may see it."""

    expected: bytes = b""
    """DER of the certificate that the server must show in the session too; empty when nothing secret is sent."""

    async def open_secure_channel(self, renew: bool = False) -> None:
        """Say that the server refused, where asyncua only asserts that it did not (the status code is lost there)."""
        try:
            await super().open_secure_channel(renew)
        except AssertionError as problem:
            raise answered(self.server_url.geturl(), ua.StatusCodes.BadSecurityChecksFailed) from problem

    async def create_session(self) -> ua.CreateSessionResult:
        """Refuse a session with anybody but the server that was checked."""
        answer = await super().create_session()
        if self.expected and self.security_policy.peer_certificate != self.expected:
            raise Refusal(
                "server-certificate-changed",
                f"The server {self.server_url.geturl()} shows another certificate in the session than before",
                "somebody else may answer in its place; check the network between",
            )
        return answer

    async def activate(self) -> None:
        """Log in to the session with what was set."""
        await self._activate_with_credentials()

    def check_login(self, endpoint: ua.EndpointDescription) -> None:
        """Refuse an endpoint that takes no login of the kind set, or none that is safe without a secure channel."""
        self._policy_ids = endpoint.UserIdentityTokens or []
        self.server_policy(ua.UserTokenType.Certificate if self.user_certificate else ua.UserTokenType.UserName)

    def server_policy(self, token_type: ua.UserTokenType) -> ua.UserTokenPolicy:
        """The server's best way to take this kind of login; `Refusal` when it has none that is safe."""
        offered = [
            dataclasses.replace(policy, SecurityPolicyUri=policy.SecurityPolicyUri or self.security_policy.URI)
            for policy in self._policy_ids
            if policy.TokenType == token_type
        ]
        if not offered:
            raise self._not_offered(token_type)
        if token_type is ua.UserTokenType.Anonymous:
            return offered[0]
        safe = {policy.SecurityPolicyUri: policy for policy in offered}
        for uri in self._acceptable(token_type):
            if uri in safe:
                return safe[uri]
        raise self._unsafe(token_type)

    def _acceptable(self, token_type: ua.UserTokenType) -> list[str]:
        """Policies for a login, best first: those of today, the channel's own, and none inside an encrypted channel."""
        encrypted = self.security_policy.Mode == ua.MessageSecurityMode.SignAndEncrypt
        open_text = [_NONE] if encrypted and token_type is ua.UserTokenType.UserName else []
        own = [self.security_policy.URI] if self.security_policy.URI != _NONE else []
        return [*(policy_of(name).URI for name in _STRONG), *own, *open_text]

    def _not_offered(self, token_type: ua.UserTokenType) -> Refusal:
        kinds = list(dict.fromkeys(_NAMES[policy.TokenType] for policy in self._policy_ids))
        anonymous = token_type is ua.UserTokenType.Anonymous
        refused = "lets nobody in without a login" if anonymous else f"takes no {_NAMES[token_type][2:]}"
        return Refusal(
            "login-needed" if anonymous else "login-not-offered",
            f"The server {self.server_url.geturl()} {refused}, only {' or '.join(kinds) or 'nothing'}",
            _FIXES[token_type],
        )

    def _unsafe(self, token_type: ua.UserTokenType) -> Refusal:
        if token_type is ua.UserTokenType.UserName:
            return Refusal(
                "password-in-clear",
                f"The server {self.server_url.geturl()} takes the password in a form that others can read, so it was"
                " not sent",
                "choose a 'security' other than none, or let the server encrypt passwords (its user token policy)",
            )
        return Refusal(
            "login-unproven",
            f"The server {self.server_url.geturl()} asks for no proof of the user certificate that holds today",
            "choose a 'security' other than none, or set a security policy for user certificates at the server",
        )
