"""What the plant file says by design: suppressed in a state, the first of a group."""

from __future__ import annotations

from shopfloor.plant import Batch, Kind, Sample
from shopfloor.plant.config import loads
from shopfloor.services.alarms.alarm import Condition
from shopfloor.services.alarms.design import FirstOut, Suppression
from shopfloor.services.alarms.state import AlarmKind

S = 1_000_000_000
PUMP = "delta/water/line-1/cell-1/pump-1"
PLANT = loads("""
plant: {site: delta}
types:
  pump:
    tags:
      flow: {limits: [{low: 3}]}
      oil.pressure: {limits: [{low: 1}]}
      oil.temperature: {limits: [{high: 80}]}
      state: {kind: text, states: [RUN, STOP]}
    suppress: [{states: [STOP], tags: [flow, "oil.p*"], models: [wear], hold: 30s}]
    first_out: {oil: {tags: ["oil.*"], models: [wear], conditions: ["Oil*"], within: 10s}}
assets: [{path: "delta/water/line-1/cell-1/pump-[1..2]", type: pump}]
""")


def limit(tag: str, asset: str = PUMP) -> Condition:
    return Condition(
        f"limit:{asset}/{tag}", AlarmKind.LIMIT, "limit_low", 2, tag, tag, asset=asset, tag=f"{asset}/{tag}"
    )


def test_alarms_are_suppressed_in_a_state_and_for_a_while_after_it() -> None:
    suppression = Suppression(PLANT)
    model = Condition("m", AlarmKind.MODEL, "wear", 2, "Wear", "Wear.", asset=PUMP)
    assert suppression.reason(limit("flow"), 0) == "", "no state is known"
    bad, uncertain = 0x8000_0000, 0x4000_0000
    for time, state, quality in ((10, "STOP", uncertain), (5, "RUN", 0), (11, "RUN", bad)):
        suppression.watch(Batch.of([Sample(f"{PUMP}/state", time * S, state, quality)], Kind.TEXT))
    meant = {name: suppression.reason(limit(name), 12 * S) for name in ("flow", "oil.pressure", "oil.temperature")}
    assert meant == {"flow": "While state is STOP.", "oil.pressure": "While state is STOP.", "oil.temperature": ""}
    assert suppression.reason(model, 12 * S) == "While state is STOP."
    assert suppression.reason(limit("flow", PUMP[:-1] + "2"), 12 * S) == "", "another pump"
    many = [Sample(f"{PUMP}/state", time * S, "STOP" if time < 100 else "RUN") for time in range(13, 120)]
    suppression.watch(Batch.of(many, Kind.TEXT))
    assert suppression.reason(limit("flow"), 129 * S) == "Just after state was STOP."
    assert suppression.reason(limit("flow"), 130 * S) == ""


def test_the_first_of_a_group_is_marked_whatever_order_they_arrive_in() -> None:
    groups = FirstOut(PLANT)
    pressure, temperature = limit("oil.pressure"), limit("oil.temperature")
    assert groups.group(pressure) == groups.group(temperature) == f"{PUMP}/oil"
    assert (groups.group(limit("flow")), groups.came(limit("flow"), 0)) == ("", (False, ""))
    assert groups.came(temperature, 100 * S) == (True, "")
    assert groups.came(pressure, 99 * S) == (True, temperature.key), "it came later and began earlier"
    assert groups.came(temperature, 109 * S) == (False, "")
    assert groups.came(temperature, 110 * S) == (True, ""), "the time of the group is over"
    assert groups.came(limit("oil.pressure", PUMP[:-1] + "2"), 110 * S) == (True, ""), "another pump is another group"


def test_alarms_of_every_kind_that_has_an_asset_belong_to_groups() -> None:
    groups = FirstOut(PLANT)
    kinds = {
        AlarmKind.QUALITY: ("chart", "oil.pressure"), AlarmKind.MODEL: ("wear", "flow"),
        AlarmKind.CONDITION: ("OilLow", None), AlarmKind.SOURCE: ("source_lost", None),
    }  # fmt: skip
    made = {
        kind: Condition(kind, kind, code, 2, code, code, asset=PUMP, tag=tag and f"{PUMP}/{tag}")
        for kind, (code, tag) in kinds.items()
    }
    assert {kind: groups.group(one) for kind, one in made.items()} == {
        AlarmKind.QUALITY: f"{PUMP}/oil", AlarmKind.MODEL: f"{PUMP}/oil", AlarmKind.CONDITION: f"{PUMP}/oil",
        AlarmKind.SOURCE: "",
    }  # fmt: skip
