"""What training computes over the whole past, live following computes piece by piece: bit for bit."""

import numpy as np
import pytest
from shopfloor.models import bins, parts, toy
from shopfloor.models.columns import DAY, MINUTE
from shopfloor.models.features import COARSE, FINE, padded, part_features, pot_features, pot_history

START = 20_000 * DAY


def test_parts_followed_in_pieces_equal_parts_of_the_whole():
    tags = toy.machine(5, 0.5, start=START)
    whole = parts.finished(tags)
    followed, cursor = parts.NO_PARTS, START
    while cursor < START + DAY // 2:
        cursor += 7 * MINUTE
        back = int(followed.start[-1]) - 1 if len(followed) else START
        piece = {name: steps.before(cursor).since(back) for name, steps in tags.items()}
        followed = followed.then(parts.finished(piece, after=int(followed.end[-1]) if len(followed) else 0))
    np.testing.assert_array_equal(followed.part, whole.part)
    rows = np.arange(len(whole))
    np.testing.assert_array_equal(part_features(followed, rows), part_features(whole, rows))


def test_features_of_one_part_do_not_depend_on_the_parts_after_it():
    whole = parts.finished(toy.machine(6, 0.5, start=START))
    all_at_once = part_features(whole, np.arange(len(whole)))
    for row in (0, 3, 77, 200):
        alone = part_features(whole.take(slice(0, row + 1)), np.array([row]))
        np.testing.assert_array_equal(alone[0], all_at_once[row])


@pytest.mark.parametrize("count", [1, 2, 4])
def test_pots_followed_live_equal_pots_of_the_history(count):
    """However many pots stand beside each other, and however many moments are described at once."""
    names = [f"p{i}" for i in range(count)]
    tags = {name: toy.pot(i, 1.2, start=START) for i, name in enumerate(names)}
    whole = bins.side_by_side(names, tags, bins.clock(START + 3 * MINUTE, START + int(1.1 * DAY)))
    whole.values[500:560, 0] = np.nan
    whole.values[2000:2030, :, bins.AT["resistance"]] = np.nan
    rows = np.concatenate([np.arange(0, len(whole), 13), [len(whole) - 1]])
    history = pot_history(whole, rows)
    for i in [*range(0, len(rows), 17), 1, 2, 60, len(rows) - 1]:
        upto = whole.take(slice(0, int(rows[i]) + 1))
        blocks = upto.blocks()[1]
        live = pot_features(padded(upto.values, len(upto), FINE), padded(blocks, len(blocks), COARSE))
        assert live.tobytes() == history[i].tobytes()


def test_features_are_float32():
    whole = parts.finished(toy.machine(1, 0.1, start=START))
    assert part_features(whole, np.arange(3)).dtype == np.float32


def test_labels_are_joined_by_part_id_and_the_last_tool_is_censored():
    tags = toy.machine(2, 1.0, start=START)
    made, known = parts.finished(tags), parts.probes(tags)
    y = parts.label(made, known)
    measured = ~np.isnan(y)
    assert abs(measured.mean() - 0.1) < 0.02
    truth = tags["truth.dimension"].value[np.isin(tags["part.id"].value, made.part)]
    np.testing.assert_array_equal(y[measured], truth[measured])
    left, seen, run = parts.remaining(made)
    assert not seen[run == run[-1]].any()
    assert seen[run < run[-1]].all()
    assert (left >= 0).all()
