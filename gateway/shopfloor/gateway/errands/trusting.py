"""Errands about certificates: which ones this gateway knows, and whether it trusts them. Times are ISO 8601, UTC."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shopfloor.gateway.errands import Handler

Part = dict[str, Any]


def handlers(data: Path) -> dict[str, Handler]:
    """Handlers by the kind of errand, for the certificates in a gateway's data folder."""
    from shopfloor.gateway.opcua.trust import TrustList

    trust = TrustList(data / "pki")

    async def certificates(_body: Part) -> AsyncGenerator[Part, None]:
        yield {"certificates": [*_own(data), *(_shown(one, one.state) for one in trust.certificates())]}

    def judged(judge: Callable[[str], Any]) -> Handler:
        async def handler(body: Part) -> AsyncGenerator[Part, None]:
            before = {one.thumbprint: _shown(one, one.state) for one in trust.certificates()}
            known = judge(str(body.get("thumbprint", "")))
            after = _shown(known, known.state)
            yield {"certificates": [after], "before": before.get(known.thumbprint), "after": after}

        return handler

    return {"certificates": certificates, "approve": judged(trust.approve), "reject": judged(trust.reject)}


def _own(data: Path) -> list[Part]:
    """The gateway's own certificates, the newest first; none before one was needed."""
    from shopfloor.gateway.opcua.certificate import thumbprint
    from shopfloor.gateway.opcua.own import OwnCertificates

    folder = data / "pki" / "own"
    if not folder.is_dir():
        return []
    return [
        {
            "thumbprint": thumbprint(pair.certificate),
            "subject": pair.certificate.subject.rfc4514_string(),
            "application_uri": pair.uri,
            "not_before": pair.certificate.not_valid_before_utc.isoformat(),
            "not_after": pair.certificate.not_valid_after_utc.isoformat(),
            "state": "own",
            "url": "",
            "first_seen": "",
        }
        for pair in OwnCertificates(folder).valid(datetime.now(UTC))
    ]


def _shown(known: Any, state: str) -> Part:
    return {
        "thumbprint": known.thumbprint,
        "subject": known.subject,
        "application_uri": known.application_uri,
        "not_before": known.not_before.isoformat(),
        "not_after": known.not_after.isoformat(),
        "state": str(state),
        "url": known.url,
        "first_seen": known.first_seen,
    }
