"""Whether people can sign in at the provider, asked every five minutes, for the health of the server."""

from __future__ import annotations

import threading
from typing import Final, Self

from shopfloor.gateway.doctor.finding import State
from shopfloor.plant.config import OidcSection
from shopfloor.services.security.oidc.examined import examine
from shopfloor.services.security.oidc.provider import Provider

_EVERY_S: Final = 300.0
_SOON_S: Final = 30.0


class WatchedProvider:
    """A context; inside it a thread examines the provider, as it is then, sooner again while something is wrong."""

    def __init__(self, section: OidcSection | None) -> None:
        self._section = section
        self._stopping = threading.Event()
        self.sentence = ""
        """What is in the way of signing in, and the next step; "" when nothing is, or nothing is known yet."""

    def __enter__(self) -> Self:
        if self._section is not None:
            threading.Thread(target=self._run, args=(self._section,), name="identity provider", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()

    def _run(self, section: OidcSection) -> None:
        while True:
            wrong = [finding for finding in examine(Provider(section)) if finding.state is State.FAILED]
            self.sentence = f"{wrong[0].why} {wrong[0].fix}" if wrong else ""
            if self._stopping.wait(_SOON_S if wrong else _EVERY_S):
                return
