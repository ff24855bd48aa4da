"""What pyarrow loads."""

import subprocess
import sys

SAID = """\
import sys
{first}
import pyarrow as pa
pa.array(["a"])
print("pandas" in sys.modules)
import pandas
print(pandas.Series([1.0]).sum())
"""


def _said(first: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", SAID.format(first=first)], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_process_of_a_plant_has_arrays_without_pandas_which_can_still_be_imported() -> None:
    assert _said("") == ["True", "1.0"], "else it is for nothing"
    assert _said("from shopfloor.plant.arrow import without_pandas; without_pandas()") == ["False", "1.0"]
