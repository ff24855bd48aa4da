# %% [markdown]
# ## Deploy your own estimator, replay it over the last days, promote it with a name
# Parts are scrapped a few times a day; the counter `part.count` tells when. The features of a live model are said
# once: which tags, how often, for how long a value counts, what is remembered. `data.x` are the very rows that live
# judging makes of them.

# %%
import os

import numpy as np
from shopfloor.models.client import dataset, deploy, scrap
from shopfloor.models.streaming import StreamSpec
from sklearn.ensemble import RandomForestClassifier

URL = os.environ.get("SHOPFLOOR_URL", "http://127.0.0.1:8000")
END = np.datetime64(os.environ.get("SHOPFLOOR_END", "now"), "h")

tags = ("spindle.power", "spindle.temperature")
spec = StreamSpec.of(tags, every=60, hold=180, lookback=1800, remembered=tags)
data = dataset(
    scrap("part.count"),
    spec=spec,
    assets="delta/frames",
    start=END - np.timedelta64(2, "D"),
    end=END,
    before="10min",
    after="10min",
    hop="2min",
    negatives=4,
    url=URL,
)
earlier, later = data.split(0.4)
calibration, unseen = later.split(0.5)
print(data)
print(data.x.shape, data.x.dtype, spec.features.names[:3])

# %% [markdown]
# Any estimator that [compiles](bundles.md). It learns from the first part of the time, is calibrated on the second,
# and is asked about the third.

# %%
model = RandomForestClassifier(40, max_depth=6, random_state=0).fit(earlier.x, earlier.y)
found = deploy(
    model,
    None,
    calibration,
    name="bad-part",
    title="Bad part within ten minutes",
    by="Anna",
    why="scrap costs 40 a part",
    scope="delta/frames",
    url=URL,
)
print(found)
metric = found.sealed.bundle.manifest.metrics[0]
print(f"{metric['name']} {metric['value']:.3f}, {metric['baseline_name']} {metric['baseline']:.3f}")

# %% [markdown]
# What would it have said? The truth of the third part is told to the server, and the version is replayed over it:
# from the store, by the code of live judging.

# %%
print(found.label(unseen), "moments with a truth")
begun, ended = unseen.time.min(), unseen.time.max() + spec.every * 1_000_000_000
result = found.replay(int(begun), int(ended), by="Anna", cost_false_alarm=10, cost_miss=40)
said, evidence = result["version"], result["evidence"]
print(f"{result['assets']} assets, {evidence['windows']} windows with a truth, mean loss {evidence['loss']:.3f}")
print(f"hits {said['hits']}, misses {said['misses']}, false alarms {said['false']}, quiet {said['quiet']}")

# %% [markdown]
# Nothing speaks of scrap here yet, so nothing can be lost: a person promotes it. Where a champion speaks, [the
# gate](registry.md) asks for evidence first.

# %%
print(found.promote(by="Anna", why=f"{said['hits']} hits, {said['false']} false alarms in the replay"))
