"""From a notebook to a shadow on the line, in one call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from shopfloor.models.client.deployed import Deployed
from shopfloor.models.client.labelled import Dataset
from shopfloor.models.client.server import HERE, Server
from shopfloor.models.sealing.canonical import pack
from shopfloor.models.streaming import StreamSpec
from shopfloor.plant import QuestionError

if TYPE_CHECKING:
    from shopfloor.models.client.seal import Rows


def deploy(
    estimator: Any,
    spec: StreamSpec | None,
    data: Dataset | Rows,
    *,
    name: str,
    by: str,
    scope: str = "*",
    why: str = "",
    url: str = HERE,
    token: str | None = None,
    timeout_s: float = 60.0,
    **card: Any,
) -> Deployed:
    """Seal a fitted estimator, or what `train` learned, and send it to a server as the next version of `name`.

    It is judged at once on the assets of `scope`, as a shadow: beside what speaks, not in its place. `by` is a person.
    `estimator`, `spec`, `data` and `card` are those of `seal`; a model that cannot be sealed raises `CannotCompile`,
    what the server refuses `QuestionError`, and a server that is not there `StoreError`: each is one sentence.
    """
    from shopfloor.models.client.seal import seal

    begun = time.monotonic()
    if not by.strip():
        raise QuestionError("Nobody says who deploys: give your name, as in by='Anna'.")
    sealed = seal(estimator, spec, data, name=name, **card)
    content = pack(dict(sorted(sealed.files.items())))
    server = Server(url, token, timeout_s)
    told = server.post("/registry/bundles", {"scope": scope, "by": by, "why": why}, content)
    kept = {key: told[key] for key in ("name", "number", "sha", "scope", "stage", "sentence")}
    page = f"{url.rstrip('/')}/models"
    return Deployed(**kept, page=page, seconds=time.monotonic() - begun, sealed=sealed, server=server)
