"""Bundles over the API and the command line: taken as shadows, refused in one sentence, never half kept."""

import json
import os
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
from running_server import FakeBrain, plant, running
from shopfloor.models.bundle import export
from shopfloor.models.compile import Calibration, Card, Features
from shopfloor.models.compile import compile as compiled
from shopfloor.models.sealing.canonical import pack
from shopfloor.models.streaming import StreamSpec
from shopfloor.services.api.bundles import ArrivedView
from shopfloor.services.cli import main
from sklearn.linear_model import Ridge

sys.path.insert(0, str(Path(__file__).parents[2]))
from hostile_bundles import bundles, resealed

SPEC = StreamSpec.of(("spindle.power", "spindle.temperature"), every=10, hold=60, lookback=60)
OCTETS = {"Content-Type": "application/octet-stream"}


def sealed(name="heat", seed=0, spec=SPEC, target="", golden=True):
    """A small regression on two tags; golden windows of one moment each."""
    x = np.random.default_rng(seed).normal(size=(80, 2)).astype(np.float32)
    names, told = (spec.features.names, spec.to_json()) if isinstance(spec, StreamSpec) else (("a", "b"), spec)
    windows = x[40:, None].astype(np.float64) if golden else None
    card = Card(name, "Heat of the spindle", unit="°C", target=target, trained_at=1)
    model = Ridge().fit(x[:40], x[:40, 0] + seed)
    return compiled(model, Features(names, told), Calibration(x[40:], x[40:, 0] + seed, windows), card)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("data"), plant(), brain=FakeBrain()) as found:
        yield found


def upload(server, content, headers=OCTETS, **asked):
    asked = {"scope": "delta/frames", "by": "Anna", **asked}
    return server.client.post("/api/v1/registry/bundles", params=asked, content=content, headers=headers)


def arrived(server, made, **asked):
    reply = upload(server, pack(dict(sorted(made.files.items()))), **asked)
    assert reply.status_code == 200, reply.text
    return ArrivedView(**reply.json())


def kept(server):
    folder = server.parts.registry.bundles.folder
    return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []


def test_the_first_is_a_shadow_and_the_next_is_proposed_beside_it(server):
    one = arrived(server, sealed("first"), why="a pilot")
    assert (one.name, one.number, one.scope, one.stage) == ("first", 1, "delta/frames", "shadow")
    two = arrived(server, sealed("first", 1))
    assert (two.number, two.stage) == (2, "shadow")
    (model,) = [m for m in server.get("/registry") if m["name"] == "first"]
    (place,) = model["places"]
    assert (place["champion"], place["shadows"], place["proposed"]) == (None, [1, 2], 2)
    again = arrived(server, sealed("first"))
    assert (again.number, again.sha) == (1, one.sha)
    assert [e["what"] for e in server.get("/registry/first/events")] == ["proposed", "submitted", "shadow", "submitted"]


def test_a_file_and_a_folder_of_one_bundle_are_one_version(server, tmp_path, capsys):
    made = sealed("twice")
    file, folder = made.save(tmp_path / "b.shopfloor"), export(made.save(tmp_path / "c.shopfloor"), tmp_path / "folder")
    for bundle in (folder, file):
        assert main(["models", "submit", str(bundle), "--url", server.url, "--scope", "delta", "--by", "Ben"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == said[2] == f"twice, version 1: shadow on delta ({made.sha[:12]})"
    assert server.parts.registry.submit(folder, "x").number == server.parts.registry.submit(file, "x").number == 1


def test_a_bundle_without_tags_stays_a_candidate(server):
    said = arrived(server, sealed("rows", spec={"window": 1}, golden=False))
    assert (said.stage, "names no tags" in said.sentence) == ("candidate", True)


def changed(made, **spec):
    content = json.loads(made.files["manifest.json"])["spec"]
    content["stream"].update(spec)
    return pack(resealed(dict(made.files), spec=content))


def test_what_must_not_be_taken_is_refused_in_one_sentence_and_leaves_nothing(server):
    made = sealed("good")
    whole = pack(dict(sorted(made.files.items())))
    arrived(server, sealed("taken", target="heat"))
    before, audit = kept(server), server.get("/registry/audit")["events"]
    cases = [
        (whole, {"by": ""}, 422, "no person"),
        (whole, {"scope": "other"}, 422, "No asset of this plant"),
        (whole, {"scope": "a//b"}, 422, "no scope"),
        (whole[:-3], {}, 422, "cannot be read"),
        (b"", {}, 422, "cannot be read"),
        (b"\x80\x04\x95pickle", {}, 422, "cannot be read"),
        (changed(made, every=0), {}, 422, "`every` is 0"),
        (changed(made, tags=["a", "b", "c"]), {}, 422, "2 inputs and 3 tags"),
        (pack(dict(sorted(sealed("other", target="heat").files.items()))), {}, 422, "a target of its own"),
        (pack(dict(sorted(sealed("taken", target="cold").files.items()))), {}, 422, "a target of its own"),
        (
            pack(dict(sorted(sealed("life", target="tool_life").files.items()))),
            {},
            422,
            "belongs to the model tool-life",
        ),
        (pack(dict(sorted(sealed("tool-life").files.items()))), {}, 422, "belongs to the target tool_life"),
    ]
    for content, asked, status, said in cases:
        reply = upload(server, content, **asked)
        assert (reply.status_code, said in reply.json()["detail"]) == (status, True), (said, reply.text)
    assert (kept(server), server.get("/registry/audit")["events"]) == (before, audit)
    for content_type in ("text/plain", "multipart/form-data; boundary=x", "application/json", ""):
        assert upload(server, whole, {"Content-Type": content_type}).status_code == 415
    assert upload(server, whole, {**OCTETS, "Origin": "http://elsewhere.example"}).status_code == 403


def test_golden_windows_prove_the_code_that_describes_them(server):
    spec = StreamSpec.of(SPEC.tags, every=10, hold=60, lookback=60, remembered=SPEC.tags)
    x = np.random.default_rng(0).normal(size=(40, len(spec.features.names))).astype(np.float32)
    windows = np.zeros((40, 3, 2))
    made = compiled(
        Ridge().fit(x, x[:, 0]), Features(spec.features.names, spec.to_json()), Calibration(x, x[:, 0], windows),
        Card("golden", "Golden", trained_at=1),
    )  # fmt: skip
    reply = upload(server, pack(dict(sorted(made.files.items()))))
    assert (reply.status_code, "golden windows give other features" in reply.text) == (422, True), reply.text


def test_damaged_and_hostile_bundles_are_refused_over_the_api(server):
    before = kept(server)
    tried = [pack(files) for made in bundles(("boosted", "layers")).values() for _, files in _some(made.files)]
    for content in [*tried, os.urandom(2000)]:
        reply = upload(server, content)
        assert reply.status_code == 422, reply.text
        assert reply.json()["detail"].endswith("."), reply.text
    assert kept(server) == before


def _some(files):
    """Every 40th of the changed bytes: those that lie in the sealed files are refused, each of them."""
    for name in ("arrays.npz", "value.tl"):
        if name in files:
            for at in range(0, len(files[name]), max(len(files[name]) // 6, 1)):
                data = bytearray(files[name])
                data[at] ^= 0xFF
                yield name, {**files, name: bytes(data)}
                yield name, resealed({**files, name: files[name][:at]})


def test_a_body_beyond_the_bound_is_not_read(server):
    host, port = server.url.removeprefix("http://").split(":")
    head = f"POST /api/v1/registry/bundles?by=Anna HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: {65 << 20}\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode())
        assert b" 413 " in wire.recv(1000).split(b"\r\n")[0]


def test_a_version_can_be_kept_in_a_set_after_its_registry_was_read(server):
    arrived(server, sealed("kept"))
    assert len({server.parts.registry.state.version("kept", 1)} | {server.parts.registry.state.version("kept", 1)}) == 1
