"""The Gemstones table (McLeish et al. 2025, mcleish7/gemstone-scaling-laws) as a loss table.

Gemstones are Gemma-like decoders: heads of 128, half as many key-value heads (rounded down), three feed-forward
matrices of width 4·d, two RMSNorms a block and one at the end, a vocabulary of 50304. Their count of all parameters,
`params_active_precise`, is checked row by row against these formulas: it holds two tables of 50304·d, the token
embedding and the head.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from analysis.arrays import Array
from analysis.losses import checked
from analysis.outside import read_table
from analysis.status import FitError

HEAD_WIDTH = 128
VOCABULARY = 50304
COLUMNS = {
    "run": "run_name",
    "depth": "depth",
    "width": "width",
    "tokens": "tokens",
    "loss": "final_loss",
    "total": "params_active_precise",
}
Counting = Literal["blocks", "authors"]
COUNTINGS = {
    "blocks": "the blocks' weight matrices alone",
    "authors": "all parameters but the token embedding (as the Gemstones paper groups by)",
}


def block_matrices(depth: Array, width: Array) -> Array:
    """N: weight matrices of all blocks; (2·query + 2·key-value heads)·128·d for attention and 12·d² a layer."""
    heads = width // HEAD_WIDTH
    attention = (2 * heads + 2 * (heads // 2)) * HEAD_WIDTH * width
    return np.asarray(depth * (attention + 12 * width**2))


def all_parameters(depth: Array, width: Array) -> Array:
    """With token embedding, head and norms."""
    return np.asarray(block_matrices(depth, width) + 2 * VOCABULARY * width + (2 * depth + 1) * width)


def gemstones_table(path: Path, counting: Counting = "blocks") -> pd.DataFrame:
    """The loss table of `hot_100b.jsonl` or a file like it: one run for each shape, one row for each token count.

    counting   what goes into `params`; `params_total` is always all of them

    Raises FitError where a column is missing, or, naming the row, where the authors' count of parameters is not that
    of the architecture, so that N would be wrong.
    """
    rows = read_table(path)
    missing = [theirs for theirs in COLUMNS.values() if theirs not in rows.columns]
    if missing:
        raise FitError(f"{path.name} is not a Gemstones table: it has no column {', '.join(missing)}")
    depth, width = (rows[name].to_numpy(np.int64) for name in ("depth", "width"))
    total = rows[COLUMNS["total"]].to_numpy(np.int64)
    off = np.flatnonzero(total != all_parameters(depth, width))
    if off.size:
        place = int(off[0])
        raise FitError(
            f"row {place + 1} of {path.name}, column {COLUMNS['total']!r}: {total[place]:,}; the architecture "
            f"of {depth[place]}×{width[place]} has {all_parameters(depth, width)[place]:,}"
        )
    params = block_matrices(depth, width) if counting == "blocks" else total - VOCABULARY * width
    names = rows[COLUMNS["run"]].astype(str)
    table = pd.DataFrame(
        {
            "trial_id": [f"{name}@{tokens:.4g}" for name, tokens in zip(names, rows["tokens"], strict=True)],
            "run": names,
            "depth": depth,
            "width": width,
            "params": params,
            "params_total": total,
            "tokens": rows["tokens"].to_numpy(float),
            "loss": rows[COLUMNS["loss"]].to_numpy(float),
            "counting": COUNTINGS[counting],
        }
    )
    return checked(table)
