"""Thousands of damaged and malicious bundles, tried one after the other; run in a process of its own.

`python hostile_bundles.py LOG EVERY` writes what it tries to LOG before it tries it, so that a crash leaves a name, and
ends with a line of JSON: how many were tried, refused, harmless, and which were neither.
"""

from __future__ import annotations

import json
import struct
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from functools import partial
from io import BytesIO
from itertools import chain
from pathlib import Path

import numpy as np
from shopfloor.models.bundle import RefusedBundle, load_files
from shopfloor.models.compile import Calibration, Card, Features, Sealed
from shopfloor.models.compile import compile as compiled
from shopfloor.models.sealing.arrays import from_npz, to_npz
from shopfloor.models.sealing.canonical import json_sha, pack, sha256, to_json, unpack
from shopfloor.models.sealing.layout import COLUMNS, Reader, read_head, read_tree
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, SplineTransformer, StandardScaler

Files = dict[str, bytes]
Case = tuple[str, Files | Callable[[], Files]]
SEED = 5
ALL = ("boosted", "forest", "mean", "layers", "splines", "products")


def bundles(names: Collection[str] = ALL) -> dict[str, Sealed]:
    """Small ones of every sort: categories and missing values, leaf vectors, layers."""
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(240, 3)).astype(np.float32)
    x[:, 2] = rng.integers(0, 5, 240)
    x[rng.random(240) < 0.1, 0] = np.nan
    y = np.nan_to_num(x[:, 0]) + (x[:, 2] % 2) + 0.1 * x[:, 1]
    whole = np.nan_to_num(x)
    made = {
        "boosted": (HistGradientBoostingRegressor(max_iter=3, max_leaf_nodes=4, categorical_features=[2]), x, y),
        "forest": (RandomForestClassifier(3, max_depth=2, random_state=0), whole, np.digitize(y, [0.3, 0.9])),
        "mean": (_mean(), whole, np.digitize(y, [0.3, 0.9])),
        "layers": (
            make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(4,), max_iter=2000, random_state=0)),
            whole, y,
        ),
        "splines": (make_pipeline(SplineTransformer(3), Ridge()), whole, y),
        "products": (make_pipeline(PolynomialFeatures(2), Ridge()), whole, y),
    }  # fmt: skip
    return {name: _sealed(name, *parts) for name, parts in made.items() if name in names}


def _mean() -> VotingClassifier:
    boosted = HistGradientBoostingClassifier(max_iter=1, max_leaf_nodes=3, random_state=0)
    forest = RandomForestClassifier(2, max_depth=2, random_state=0)
    return VotingClassifier([("boosted", boosted), ("forest", forest)], voting="soft")


def _sealed(name: str, estimator, x, y) -> Sealed:
    estimator.fit(x[:120].astype(float), y[:120])
    card = Card(name, name, trained_at=1, metrics=[{"name": "MAE", "value": 1.0}])
    return compiled(estimator, Features(("a", "b", "c"), {"window": 1}), Calibration(x[120:], y[120:]), card)


def resealed(files: dict[str, bytes], /, **changes: object) -> dict[str, bytes]:
    """The files with a manifest whose hashes are right, whatever else it says: what an attacker would make."""
    content = {**json.loads(files["manifest.json"]), **changes}
    rest = {name: data for name, data in files.items() if name != "manifest.json"}
    if "files" not in changes:
        content["files"] = {name: sha256(data) for name, data in sorted(rest.items())}
    if "spec_sha" not in changes:
        content["spec_sha"] = json_sha(content["spec"])
    made = ("trained_at", "cpu_s", "sha", "seal")
    content["sha"] = sha256(to_json({k: v for k, v in content.items() if k not in made}))
    content["seal"] = sha256(to_json({k: v for k, v in content.items() if k != "seal"}))
    return {"manifest.json": to_json(content), **rest}


def changed_bytes(files: dict[str, bytes]) -> Iterator[Case]:
    """A byte of every place in the one file, as it lies on a disk or comes over a wire."""
    whole = pack(files)
    rng = np.random.default_rng(SEED)
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= int(rng.integers(1, 256))
        yield f"byte {at}", {"": bytes(damaged)}
    for size in range(0, len(whole), 97):
        yield f"cut at {size}", {"": whole[:size]}
    yield "longer", {"": whole + b"\0"}
    yield "twice", {"": whole + whole}
    yield "compressed", {"": _compressed(files)}


def resealed_bytes(files: dict[str, bytes]) -> Iterator[Case]:
    """A byte of every place in every file but the manifest, with hashes that are right again."""
    rng = np.random.default_rng(SEED)
    for name, data in files.items():
        for at in range(0, 0 if name == "manifest.json" else len(data), 1 if name.endswith(".tl") else 5):
            damaged = bytearray(data)
            damaged[at] ^= int(rng.choice([1, 0x80, 0xFF, 0x7F]))
            yield f"{name} byte {at} resealed", partial(resealed, {**files, name: bytes(damaged)})


def manifests(files: dict[str, bytes]) -> Iterator[Case]:
    """Every field with values that nobody expects."""
    good = json.loads(files["manifest.json"])
    odd: tuple[object, ...] = (None, -1, 1e300, 2**70, "", "../x", [], [1], {}, {"a": -1}, True, ["trees"] * 99)
    for name in good:
        for value in odd:
            if value != good[name] and name not in ("sha", "seal"):
                yield f"{name} = {value!r:.20}", partial(resealed, files, **{name: value})
        missing = {k: v for k, v in good.items() if k != name}
        yield f"without {name}", {**files, "manifest.json": to_json(missing)}
    for text in (b"", b"[]", b"[" * 100_000, b'{"a": NaN}', b"\xff", b"9" * 10_000):
        yield f"manifest {text[:9]!r}", {**files, "manifest.json": text}
    number = str(good["format"]).encode()
    twice = files["manifest.json"].replace(b'"format": ' + number, b'"format": ' + number + b',\n "format": ' + number)
    yield "a key twice", {**files, "manifest.json": twice}
    for number in ("NaN", "Infinity", "1e999"):
        text = files["manifest.json"].replace(b'"coverage": 0.9', f'"coverage": {number}'.encode())
        yield f"coverage {number}", {**files, "manifest.json": text}
    yield "a link in the name", partial(resealed, {**files, "../value.tl": b""})
    yield "another file", partial(resealed, {**files, "other.npz": b""})
    yield "a pickle", partial(resealed, {**files, "setup.py": b"boom"})
    yield "wrong sha", {**files, "manifest.json": files["manifest.json"].replace(b'"sha": "', b'"sha": "0')}


def arrays(files: dict[str, bytes]) -> Iterator[Case]:
    """Every array empty, wider, of another type, not finite, missing; shapes that are declared and not there."""
    good = from_npz(files["arrays.npz"])
    for name, values in good.items():
        odd = {
            "empty": values[:0], "flat": values.ravel(), "wide": np.repeat(values, 3, axis=-1), "zeros": values * 0,
            "nan": values * np.nan if values.dtype.kind == "f" else values - 99,
            "inf": values * np.inf if values.dtype.kind == "f" else values + 99,
            "int": values.astype(np.int32), "negative": -values, "long": np.repeat(values, 2000, axis=0),
        }  # fmt: skip
        for what, other in odd.items():
            if other.tobytes() != values.tobytes() or other.shape != values.shape:
                with np.errstate(all="ignore"):
                    yield f"{name} {what}", partial(resealed, {**files, "arrays.npz": to_npz({**good, name: other})})
        rest = {key: held for key, held in good.items() if key != name}
        yield f"without {name}", partial(resealed, {**files, "arrays.npz": to_npz(rest)})
    yield from _odd_npz(files, good)


def _odd_npz(files: dict[str, bytes], good: dict[str, np.ndarray]) -> Iterator[Case]:
    yield "another array", partial(resealed, {**files, "arrays.npz": to_npz({**good, "more": np.zeros(1)})})
    pickled = BytesIO()
    np.savez(pickled, **{**good, "golden": np.array([{"a": print}], object)}, allow_pickle=True)
    yield "pickled", partial(resealed, {**files, "arrays.npz": pickled.getvalue()})
    packed = BytesIO()
    np.savez_compressed(packed, **good)
    yield "compressed arrays", partial(resealed, {**files, "arrays.npz": packed.getvalue()})
    entries = unpack(files["arrays.npz"])
    for shape in ("(9999999999, 3)", "(-1, 3)", "(3,)", "()", "__import__('os')"):
        for name, data in entries.items():
            text = data.decode("latin1")
            begin, end = text.index("'shape': ") + 9, text.index(", }")
            body = (text[:begin] + shape + text[end:]).encode("latin1")
            size = 10 + struct.unpack_from("<H", data, 8)[0]
            body = body[:size].ljust(size - 1) + b"\n" + data[size:] if len(body) < len(data) else body
            if body != data:
                other = partial(resealed, {**files, "arrays.npz": pack({**entries, name: body})})
                yield f"{name} declares {shape}", other


def trees(files: dict[str, bytes], file: str) -> Iterator[Case]:
    """Every column of every tree with values that crash, loop or read elsewhere, hashes right again."""
    data = files[file]
    reader = Reader(data)
    head = read_head(reader)
    after_head = reader.at
    for number in range(head.trees):
        start = reader.at
        tree = read_tree(reader, head)
        at = start + 5
        for i, column in enumerate(COLUMNS):
            values = tree.columns[i]
            body = at + 8
            for count in (0, len(values) + 1, 2**31, 2**63, 2**64 - 1):
                other = data[:at] + struct.pack("<Q", count) + data[body:]
                yield f"{file} tree {number} {column} of length {count}", partial(resealed, {**files, file: other})
            for node in range(len(values)):
                for value in _odd(values.dtype, node):
                    changed = values.copy()
                    changed[node] = value
                    if changed.tobytes() != values.tobytes():
                        other = data[:body] + changed.tobytes() + data[body + values.nbytes :]
                        yield (
                            f"{file} tree {number} {column}[{node}] = {value}",
                            partial(resealed, {**files, file: other}),
                        )
            at = body + values.nbytes
        yield f"{file} tree {number} twice", partial(resealed, {**files, file: data[:at] + data[start:]})
        yield f"{file} without tree {number}", partial(resealed, {**files, file: data[:start] + data[reader.at :]})
    for at in range(0, after_head, 4):
        for word in (0, 1, 2**31 - 1, 2**32 - 1):
            other = data[:at] + struct.pack("<I", word) + data[at + 4 :]
            yield f"{file} head {at} = {word}", partial(resealed, {**files, file: other})


def _odd(dtype: np.dtype, node: int) -> list[float]:
    if dtype.kind == "f":
        return [np.nan, np.inf, -np.inf, 1e300]
    info = np.iinfo(dtype)
    return sorted({info.min, info.max, 0, 1, 2, 3, min(node, info.max), min(node + 1, info.max), 100})


def _compressed(files: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("bomb.npz", bytes(50_000_000))
    return out.getvalue()


def corpus(every: int) -> Iterator[tuple[str, Files, Sealed]]:
    """All of every bundle; of single bytes and nodes only one in `every`: what is not tried is not sealed either."""
    made = bundles()
    for name, good in made.items():
        files = dict(good.files)
        several = [changed_bytes(files), resealed_bytes(files), manifests(files), arrays(files)]
        several += [trees(files, file) for file in files if file.endswith(".tl")]
        for number, (what, case) in enumerate(chain(*several)):
            chosen = number % every == 0 or not ("byte" in what or "tree" in what)
            if chosen and (damaged := _made(case)) != files:
                yield f"{name}: {what}", damaged, good
    swapped = {**made["boosted"].files, "value.tl": made["forest"].files["value.tl"]}
    yield "other trees", resealed(swapped), made["boosted"]
    for what, case in _odd_means(dict(made["mean"].files), made["boosted"].files["value.tl"]):
        yield what, _made(case), made["mean"]


def _made(case: Files | Callable[[], Files]) -> Files:
    return case() if callable(case) else case


def _odd_means(files: dict[str, bytes], numbers: bytes) -> Iterator[Case]:
    """A mean with a forest missing or one that tells no classes, of another format, or with trees after it."""
    yield "a mean of one", partial(resealed, {name: data for name, data in files.items() if name != "value-2.tl"})
    yield "a mean with numbers", partial(resealed, {**files, "value-2.tl": numbers})
    yield "a mean of one forest twice", partial(resealed, {**files, "value-2.tl": files["value.tl"]})
    yield "a mean of format 2", partial(resealed, files, format=2)
    yield "trees after a mean", partial(resealed, files, models={"value": ["mean of trees", "trees"]})
    yield "trees alone", partial(resealed, files, models={"value": ["trees"]})


def tried(damaged: dict[str, bytes], good: Sealed) -> str:
    """ "refused", "harmless" (it answers every golden row as the whole one does, and any other row at all)."""
    try:
        files = unpack(damaged[""]) if "" in damaged else damaged
    except ValueError:
        return "refused"
    try:
        bundle = load_files(files, "it")
    except RefusedBundle as problem:
        return "refused" if str(problem).endswith(".") and "\n" not in str(problem) else "not one sentence"
    rows = bundle.arrays["golden"]
    odd = np.concatenate([rows * 1e30, rows * np.nan, rows * 0 + np.inf, -rows, rows * 0 - np.inf]).astype(np.float32)
    bundle.outputs("value", odd)
    same = np.allclose(bundle.outputs("value", rows), good.bundle.outputs("value", rows), atol=1e-5)
    golden = np.array_equal(rows, good.bundle.arrays["golden"], equal_nan=True)
    return "harmless" if same or not golden else "wrong"


def main(log: Path, every: int) -> None:
    """Try all of it; of single bytes and nodes only one in `every`."""
    said: Counter[str] = Counter()
    wrong: list[str] = []
    touched: Counter[str] = Counter()
    np.seterr(all="ignore")
    with log.open("w", encoding="utf-8", buffering=1) as trying:
        for name, damaged, good in corpus(every):
            trying.write(f"{name}\n")
            answer = tried(damaged, good)
            said[answer] += 1
            touched["changed bytes let through"] += "" in damaged and answer != "refused"
            if answer not in ("refused", "harmless"):
                wrong.append(name)
    sys.stdout.write(json.dumps({**said, **touched, "names": wrong}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
