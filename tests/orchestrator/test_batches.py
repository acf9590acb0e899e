"""Batches are a pure function of corpus, seed and step."""

import numpy as np
import pytest

from orchestrator.corpora.batches import batch, mix, permuted, windows

TOKENS = np.arange(10_007, dtype=np.uint16)


def whole(step: int, seed: int = 0, sequences: int = 8) -> np.ndarray:
    return batch(TOKENS, context=16, sequences=sequences, seed=seed, step=step, rows=slice(None))


@pytest.mark.parametrize("count", [1, 2, 3, 100, 625, 4096, 5000])
def test_permuted_is_a_permutation(count: int) -> None:
    images = permuted(np.arange(count, dtype=np.uint64), count, np.uint64(7))
    assert sorted(images.tolist()) == list(range(count))


def test_an_epoch_visits_every_window_once_and_the_next_in_another_order() -> None:
    count = windows(len(TOKENS), 16)
    starts = np.concatenate([whole(step)[:, 0] for step in range(1, 2 * count // 8 + 2)]) // 16
    first, second = starts[:count], starts[count : 2 * count]
    assert sorted(first) == sorted(second) == list(range(count))
    assert (first != second).mean() > 0.9


def test_any_step_is_what_the_permutations_of_its_epochs_say() -> None:
    count = windows(len(TOKENS), 16)
    for step in (1, 64, 65, 78, 79, 157, 1000):  # 625 windows: the epoch ends within a batch of step 79
        places = [divmod(place, count) for place in range((step - 1) * 8, step * 8)]
        starts = [
            permuted(np.array([position], dtype=np.uint64), count, np.uint64(mix(np.uint64(3), np.uint64(epoch))))[0]
            for epoch, position in places
        ]
        assert whole(step, seed=3)[:, 0].tolist() == [int(start) * 16 for start in starts]


def test_rows_are_shares_of_one_global_batch() -> None:
    halves = [batch(TOKENS, context=16, sequences=8, seed=0, step=5, rows=slice(start, start + 4)) for start in (0, 4)]
    np.testing.assert_array_equal(np.concatenate(halves), whole(5))


def test_a_row_is_a_window_and_the_token_after_it() -> None:
    row = whole(3)[0]
    np.testing.assert_array_equal(row, np.arange(row[0], row[0] + 17))


def test_seeds_and_steps_differ() -> None:
    assert not np.array_equal(whole(1), whole(2))
    assert not np.array_equal(whole(1), whole(1, seed=1))


def test_neighbours_in_the_text_are_not_neighbours_in_an_epoch() -> None:
    images = permuted(np.arange(5000, dtype=np.uint64), 5000, np.uint64(3)).astype(float)
    assert abs(np.corrcoef(images[:-1], images[1:])[0, 1]) < 0.05
