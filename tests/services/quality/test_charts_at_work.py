"""Charts through the whole server: from values over HTTP to points, limits, signals and alarms."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running_server import CNC, Running, S, plant, running, until
from shopfloor.plant import Batch, Kind, Sample
from shopfloor.services.backup.take import take

PLANT = """
plant: {site: delta, title: Delta works}
types:
  machine-tool:
    tags:
      diameter: {unit: mm, title: Diameter, decimals: 3}
      part: {kind: int64}
      made: {kind: int64}
      scrap: {kind: int64}
    quality:
      single: {chart: i-mr, tag: diameter, part: part, baseline: 20, rules: [nelson-1], alarm: true, priority: 2,
               advice: Measure the next part., spec: {low: 9.9, high: 10.1, target: 10}}
      mean: {chart: xbar-r, tag: diameter, subgroup: {size: 5}, baseline: 4, centre: 10.0, sigma: 0.01}
      share: {chart: p, tag: scrap, inspected: made, subgroup: {parts: 50}, baseline: 4}
      sums: {chart: cusum, tag: diameter, baseline: 20, decision: 4}
      by-parts: {chart: xbar-s, tag: diameter, subgroup: {parts: 10, counter: made}, baseline: 3}
assets:
  - {path: "delta/frames/machining/cell-a/cnc-[01..03]", type: machine-tool, title: "CNC [01..03]"}
"""
OTHER, THIRD = CNC.replace("01", "02"), CNC.replace("01", "03")
TAGS = ("diameter", "part", "made", "scrap")


def parts(first: int, sizes: list[float], asset: str = CNC, quality: int = 0) -> dict[str, Batch]:
    """A part a second up to now: its diameter, its number, parts and scrap so far (every tenth part is scrap)."""
    begin = NOW - 400 * S
    rows: dict[str, list[Sample]] = {tag: [] for tag in TAGS}
    for i, size in enumerate(sizes, first):
        at = begin + i * S
        rows["diameter"] += [Sample(f"{asset}/diameter", at, size, quality)]
        for tag, value in (("part", i), ("made", i), ("scrap", i // 10)):
            rows[tag].append(Sample(f"{asset}/{tag}", at, value))
    return {tag: Batch.of(samples, Kind.FLOAT if tag == "diameter" else Kind.INT) for tag, samples in rows.items()}


NOW = time.time_ns() // S * S
SIZES = np.random.default_rng(2).normal(10.0, 0.01, 240).round(4).tolist()


def feed(server: Running, batches: dict[str, Batch]) -> None:
    for batch in batches.values():
        server.send(batch)


def row(server: Running, name: str, asset: str = CNC) -> Any:
    return next(one for one in server.get("/quality", asset=asset) if one["name"] == name)


def points(server: Running, name: str, asset: str = CNC, **more: Any) -> Any:
    return server.get(f"/quality/{name}", asset=asset, **more)


def grown(server: Running, name: str, n: int, asset: str = CNC) -> Any:
    return until(lambda: (said := points(server, name, asset)) and len(said["time"]) >= n and said, 20)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("charts"), plant(PLANT)) as server:
        feed(server, parts(1, SIZES))
        grown(server, "single", 240)
        yield server


def test_limits_are_those_of_the_first_parts_and_every_part_is_a_point(server: Running) -> None:
    said = points(server, "single")
    first = np.array(SIZES[:20])
    assert said["limits"]["centre"] == pytest.approx(first.mean())
    assert said["limits"]["sigma"] == pytest.approx(np.abs(np.diff(first)).mean() / 1.128379, rel=1e-5)
    assert said["limits"]["subgroups"] == 20
    assert said["value"] == SIZES
    out = np.abs(np.array(SIZES) - said["limits"]["centre"]) > 3 * said["limits"]["sigma"]
    assert ["nelson-1" in names for names in said["broken"]] == out.tolist()
    can = said["capability"]
    assert can["n"] == 240
    assert can["ppk"]["low"] < can["ppk"]["value"] < can["ppk"]["high"]
    assert can["pp"]["value"] == pytest.approx(0.2 / (6 * np.std(SIZES, ddof=1)))
    assert sum(said["histogram"]["count"]) == 240


def test_subgroups_by_size_by_inspected_parts_and_by_a_counter(server: Running) -> None:
    mean = grown(server, "mean", 48)
    assert mean["value"] == pytest.approx(np.array(SIZES).reshape(48, 5).mean(axis=1))
    assert mean["limits"] == {"centre": 10.0, "sigma": 0.01, "subgroups": 0, "start": None, "end": None}
    assert mean["upper"][0] == pytest.approx(10 + 0.03 / 5**0.5)
    share = grown(server, "share", 4)
    assert share["n"][1:4] == [50, 50, 50]
    assert share["value"][1:4] == [0.1, 0.1, 0.1]
    sums = grown(server, "sums", 240)
    assert sums["run_length"] == {"in_control": 168.0, "shifted": 8.4}
    counted = grown(server, "by-parts", 23)
    assert counted["n"][:3] == [9, 10, 10]
    assert counted["spread"][1] == pytest.approx(np.std(SIZES[9:19], ddof=1))


def test_a_range_of_time_shows_its_points_and_nothing_else(server: Running) -> None:
    whole = points(server, "single")
    start, end = whole["time"][100], whole["time"][110]
    said = points(server, "single", start=start, end=end)
    assert said["time"] == whole["time"][100:110]
    assert said["broken"] == whole["broken"][100:110]
    assert said["capability"]["n"] == 10
    long_ago = points(server, "single", start=whole["time"][0] - 40 * 86_400_000)
    assert long_ago["value"] == whole["value"]
    nothing = points(server, "single", start=1000, end=2000)
    assert (nothing["time"], nothing["capability"], nothing["histogram"]) == ([], None, None)


def test_an_unknown_chart_is_told_the_closest_name(server: Running) -> None:
    answer = server.client.get("/api/v1/quality/singel", params={"asset": CNC})
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"There is no chart 'singel' of '{CNC}': did you mean 'single'?"
    answer = server.client.get("/api/v1/quality/single", params={"asset": "nowhere"})
    assert answer.json()["detail"].endswith("ask /api/v1/quality for those that are.")
    answer = server.client.get("/api/v1/quality/single", params={"asset": CNC, "start": 5, "end": 4})
    assert answer.status_code == 422


def test_a_signal_is_an_alarm_until_a_point_is_in_control_again(server: Running) -> None:
    """Learns 20 parts of another machine, sees one far off, then a usual one; bad values are in no point."""
    assert row(server, "single", OTHER)["state"] in {"waiting", "learning"}
    feed(server, parts(1, SIZES[:20], OTHER))
    grown(server, "single", 20, OTHER)
    assert not [alarm for alarm in server.get("/alarms") if alarm["asset"] == OTHER]
    feed(server, parts(21, [99.0], OTHER, quality=0x808C_0000))
    feed(server, parts(22, [10.3], OTHER))
    (alarm,) = until(lambda: [a for a in server.get("/alarms") if a["asset"] == OTHER], 20)
    assert (alarm["kind"], alarm["code"], alarm["priority"]) == ("quality", "nelson-1", 2)
    assert alarm["sentence"] == "Diameter of CNC 02 is out of control: one point beyond three sigma."
    assert (alarm["value"], alarm["advice"]) == (10.3, "Measure the next part.")
    shown = row(server, "single", OTHER)
    assert (shown["state"], shown["broken"]) == ("out", ["nelson-1", "spread"])
    assert points(server, "single", OTHER)["left_out"] == 1
    feed(server, parts(23, [10.0, 10.001], OTHER))
    until(lambda: server.get("/alarms", asset=OTHER)[0]["state"] == "returned", 20)


def test_what_comes_late_is_judged_as_if_it_had_come_in_time_and_limits_stay(tmp_path: Path) -> None:
    """A gateway sends 30 parts that lie between others; after a restart everything is as before."""
    with running(tmp_path, plant(PLANT)) as server:
        feed(server, parts(1, SIZES[:40]))
        feed(server, parts(71, SIZES[70:100]))
        before = grown(server, "single", 70)
        feed(server, parts(41, SIZES[40:70]))
        late = grown(server, "single", 100)
        assert late["value"] == SIZES[:100]
        assert late["limits"] == before["limits"]
        saved = take(tmp_path, tmp_path / "copy")
        assert "quality/limits.json" in [entry.name for entry in saved.files]
    with running(tmp_path, plant(PLANT)) as server:
        again = grown(server, "single", 100)
        assert {**again, "left_out": 0} == {**late, "left_out": 0}
    wider = PLANT.replace("part: part, baseline: 20", "part: part, baseline: 90")
    with running(tmp_path, plant(wider)) as server:
        anew = grown(server, "single", 100)
        assert anew["limits"]["subgroups"] == 90


def test_limits_are_made_anew_of_a_time_and_the_old_ones_hold_before_it(server: Running) -> None:
    """Li asks for the parts from the 101st on; Wu decides again; what is given, or too short, is refused."""
    feed(server, parts(1, SIZES, THIRD))
    before = grown(server, "single", 240, THIRD)
    start, end = before["time"][100], before["time"][-1] + 1

    def anew(name: str = "single", **more: Any) -> Any:
        body = {"by": "Li", "why": "New fixture", "start": start, "end": end} | more
        return server.client.post(f"/api/v1/quality/{name}/limits", params={"asset": THIRD}, json=body)

    said = anew().json()
    assert (said["subgroups"], said["since"], said["replaced"]) == (140, start, False)
    (noted,) = server.get("/audit", right="limits")
    assert (noted["before"], noted["after"]["subgroups"]) == (None, 140)
    fresh = np.array(SIZES[100:])
    assert said["centre"] == pytest.approx(fresh.mean())
    assert said["sigma"] == pytest.approx(np.abs(np.diff(fresh)).mean() / 1.128379, rel=1e-5)
    after = until(lambda: (told := points(server, "single", THIRD))["limits"]["subgroups"] == 140 and told, 20)
    assert after["upper"][:100] == before["upper"][:100]
    assert after["upper"][100] == pytest.approx(said["centre"] + 3 * said["sigma"])
    assert anew(by="Wu", start=before["time"][90]).json()["subgroups"] == 150
    told = points(server, "single", THIRD)["revisions"]
    assert [(one["by"], one["why"], one["replaced"]) for one in told] == [
        ("Li", "New fixture", True),
        ("Wu", "New fixture", False),
    ]
    refused = anew(start=before["time"][0], end=before["time"][3])
    assert refused.status_code == 422
    assert refused.json()["detail"] == "There are 3 subgroups in that time: choose one with at least 8."
    assert "given in the plant file" in anew("mean").json()["detail"]
    assert anew(why="").status_code == 422


def test_a_chart_that_gets_no_subgroups_any_more_says_so(server: Running) -> None:
    """Parts came every second up to minutes ago."""
    assert row(server, "single")["silent"]
