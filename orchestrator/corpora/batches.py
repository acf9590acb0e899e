"""Batches as a pure function of corpus, seed and step.

The same for every shape with that seed, so that noise is paired between networks; and for every number of
workers, so that the order of the data survives a resume elsewhere. No state: any step's batch can be had directly.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ROUNDS = 6
STEPS_TOGETHER = 64
MASK = np.uint64(0xFFFFFFFFFFFFFFFF)


def windows(tokens: int, context: int) -> int:
    """Number of whole windows of `context` tokens and the one after each."""
    return (tokens - 1) // context


def batch(
    tokens: NDArray[np.unsignedinteger], *, context: int, sequences: int, seed: int, step: int, rows: slice
) -> NDArray[np.int64]:
    """Rows of the global batch of a step (from 1): (rows, context + 1) token ids, inputs and targets overlapping.

    Windows are drawn by a permutation of each epoch; the last batch of an epoch goes on into the next.
    """
    block, inside = divmod(step - 1, STEPS_TOGETHER)
    drawn = drawn_windows(windows(len(tokens), context), sequences, seed, block)[inside][rows]
    offsets = drawn[:, None] * context + np.arange(context + 1)
    ids: NDArray[np.int64] = tokens[offsets].astype(np.int64)
    return ids


@lru_cache(maxsize=4)
def drawn_windows(count: int, sequences: int, seed: int, block: int) -> NDArray[np.int64]:
    """Windows of the STEPS_TOGETHER batches of a block (from 0), (steps, sequences); at once, since NumPy's calls on a
    few numbers cost more than the numbers."""
    size = STEPS_TOGETHER * sequences
    places = np.arange(block * size, (block + 1) * size, dtype=np.uint64)
    epochs, positions = np.divmod(places, np.uint64(count))
    drawn = np.empty(size, dtype=np.int64)
    for epoch in np.unique(epochs):
        chosen = epochs == epoch
        key = np.uint64(mix(np.uint64(seed), epoch))
        drawn[chosen] = permuted(positions[chosen], count, key).astype(np.int64)
    drawn.flags.writeable = False
    return drawn.reshape(STEPS_TOGETHER, sequences)


def permuted(positions: NDArray[np.uint64], count: int, key: np.uint64) -> NDArray[np.uint64]:
    """Images of positions under a keyed permutation of 0..count-1, without a table.

    A balanced Feistel network over the next power of four, walking its cycle until it is back in range (Black and
    Rogaway 2002, "Ciphers with arbitrary finite domains", method 2); on average fewer than four walks.
    """
    half = np.uint64(max(1, ((count - 1).bit_length() + 1) // 2))
    low = (np.uint64(1) << half) - np.uint64(1)
    result = positions.copy()
    outside = np.ones(len(result), dtype=bool)
    while outside.any():
        left, right = result[outside] >> half, result[outside] & low
        for number in range(ROUNDS):
            left, right = right, left ^ (mix(key + np.uint64(number), right) & low)
        result[outside] = (left << half) | right
        outside = result >= count
    return result


def mix(key: np.uint64, values: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64]:
    """SplitMix64's finaliser (Steele et al. 2014) over values offset by a key: 64 well-mixed bits each."""
    with np.errstate(over="ignore"):
        z = np.asarray(values, dtype=np.uint64) + (key + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
