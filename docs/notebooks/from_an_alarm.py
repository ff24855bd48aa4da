# %% [markdown]
# ## From an alarm to a labelled data set to a model in shadow
# The alarm *spindle power above 15 kW* comes a few times a day. Does anything announce it? Two days of history of
# three machines are asked for, with what each of them showed in the ten minutes before an alarm, and in quiet times
# to compare.

# %%
import os
import time

import numpy as np
from shopfloor.models.client import alarms, dataset, deploy
from shopfloor.models.learn import Roles, train

URL = os.environ.get("SHOPFLOOR_URL", "http://127.0.0.1:8000")
END = np.datetime64(os.environ.get("SHOPFLOOR_END", "now"), "h")

data = dataset(
    alarms(tag="spindle.power"),
    tags=["spindle.power", "spindle.temperature"],
    assets="delta/frames",
    start=END - np.timedelta64(2, "D"),
    end=END,
    before="10min",
    after="30min",
    every="1min",
    hold="3min",
    url=URL,
)
print(data)
print(*data.notes, sep="\n")

# %% [markdown]
# A window shows values at and before its moment, each held for three minutes at most; what is bad or older is NaN.
# The last minute before an alarm is the last row. The mean temperature over the windows, in degrees above 39:

# %%
for minute in range(10):
    before, quiet = (np.nanmean(data.windows[data.y == kind, minute, 1]) - 39 for kind in (1, 0))
    print(f"{minute - 10:3d} min   before an alarm {'█' * round(before * 3):<30} quiet {'█' * round(quiet * 3)}")

# %% [markdown]
# So it can be learned. The training service takes the flat table: the earlier 60 % of the time; a window stays in
# one fold. The later windows, which it never sees, calibrate what it says.

# %%
earlier, later = data.split(0.6)
learned = train(earlier.table(), Roles("label", run="window", time="time", ignore=("asset",)), budget_s=3)
print(len(earlier), "windows to learn from,", len(later), "to calibrate with")
print(learned.verdict())

# %% [markdown]
# One call checks, compiles, calibrates, proves, seals and sends it. It is judged from then on beside what speaks,
# and shown to nobody but the Models page; its lineage has the question above and the hash of every row.

# %%
found = deploy(
    learned,
    None,
    later,
    name="overload",
    title="Overload within ten minutes",
    by="Anna",
    why="a pilot",
    scope="delta/frames",
    url=URL,
)
print(found)

# %%
while not (scores := found.scores()):
    time.sleep(0.1)
for one in sorted(scores[:3], key=lambda one: one["asset"]):
    print(f"{one['asset']}: {one['value']:.1%} ({one['low']:.1%} to {one['high']:.1%})")
