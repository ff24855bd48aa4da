"""What is asked of an MLflow tracking server over its REST API: an alias, a run's files, one of them.

MLflow's own client is not needed for that: three questions over HTTP, in place of 70 MB and 41 packages. The
server reads its artefact store itself, so no credentials of that store are needed here.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self

import httpx
from shopfloor.plant import QuestionError, StoreError
from shopfloor.services.mlflow.refusal import AliasRefused

TOKEN, USER, WORD = "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
CERTIFICATE: Final = "MLFLOW_TRACKING_SERVER_CERT_PATH"
_API: Final = "/api/2.0/mlflow"
_PATIENCE_S: Final = 30.0
_MOST_PAGES: Final = 20
_AWAY: Final = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version of a registered model of MLflow, and the run that made it ("": none is named)."""

    name: str
    number: str
    run: str


@dataclass(frozen=True, slots=True)
class Tracking:
    """An MLflow tracking server. A link that fails raises `StoreError`, what it does not have `AliasRefused`."""

    url: str
    client: httpx.Client = field(repr=False)

    @classmethod
    @contextmanager
    def open(cls, url: str) -> Iterator[Self]:
        """The server at an address, asked with the login of MLflow's own variables, if they are set."""
        if not url.startswith(("http://", "https://")):
            raise QuestionError(
                f"{url!r:.200} is no address of an MLflow server: write https://HOST or http://HOST:5000."
            )
        try:
            with httpx.Client(base_url=url.rstrip("/"), timeout=_PATIENCE_S, trust_env=False, **_login()) as client:
                yield cls(url, client)
        except httpx.InvalidURL as problem:
            raise QuestionError(f"{url!r:.200} is no address ({problem}): write http://HOST:5000.") from problem

    def at(self, name: str, alias: str) -> ModelVersion:
        """The version that an alias names now."""
        said = self._json(f"{_API}/registered-models/alias", {"name": name, "alias": alias})
        version = said.get("model_version")
        if not isinstance(version, dict) or not isinstance(version.get("version"), str):
            raise StoreError(f"{self.url} answers, but not as MLflow does: name its tracking server.")
        return ModelVersion(name, version["version"], str(version.get("run_id") or ""))

    def files(self, run: str) -> dict[str, int]:
        """The files at the top of a run's artefacts, and their bytes."""
        found: dict[str, int] = {}
        asked = {"run_id": run}
        for _ in range(_MOST_PAGES):
            said = self._json(f"{_API}/artifacts/list", asked)
            listed = said.get("files", [])
            found |= {str(one["path"]): int(one.get("file_size") or 0) for one in listed if not one.get("is_dir")}
            if not said.get("next_page_token"):
                break
            asked = {"run_id": run, "page_token": str(said["next_page_token"])}
        return found

    def content(self, run: str, path: str, most: int) -> bytes:
        """The bytes of one file of a run, at most `most`."""
        body = bytearray()
        with self._asked("/get-artifact", {"run_uuid": run, "path": path}) as answer:
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > most:
                    raise AliasRefused(f"The file {path!r:.80} of the run {run:.40} is larger than {most >> 20} MB.")
        return bytes(body)

    def _json(self, path: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        with self._asked(path, asked) as answer:
            answer.read()
            try:
                said = answer.json()
            except ValueError:
                said = None
        if not isinstance(said, dict):
            raise StoreError(f"{self.url} answers, but not as MLflow does: name its tracking server.")
        return said

    @contextmanager
    def _asked(self, path: str, asked: Mapping[str, str]) -> Iterator[httpx.Response]:
        try:
            with self.client.stream("GET", path, params=asked) as answer:
                if not answer.is_success:
                    answer.read()
                    self._refuse(answer)
                yield answer
        except httpx.HTTPError as problem:
            raise StoreError(f"No MLflow server answers at {self.url} ({problem}): it is asked again.") from problem

    def _refuse(self, answer: httpx.Response) -> None:
        try:
            said = str(answer.json()["message"])
        except (ValueError, KeyError, TypeError):
            said = "it gives no reason"
        sentence = f"MLflow at {self.url} refuses with {answer.status_code}: {said[:200].rstrip('.')}."
        if answer.status_code in _AWAY:
            raise StoreError(sentence)
        raise AliasRefused(sentence)


def _login() -> dict[str, Any]:
    """What MLflow's own client takes from the same variables: a token, or a user and password; a certificate."""
    found: dict[str, Any] = {}
    if token := os.environ.get(TOKEN):
        found["headers"] = {"Authorization": f"Bearer {token}"}
    elif user := os.environ.get(USER):
        found["auth"] = (user, os.environ.get(WORD, ""))
    if certificate := os.environ.get(CERTIFICATE):
        found["verify"] = _trusting(certificate)
    return found


def _trusting(certificate: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=certificate)
    except OSError as problem:
        raise QuestionError(f"{CERTIFICATE} names {certificate}, which is no certificate ({problem}).") from problem
