"""Theory's side of it: where the trained networks lie against the separation rank's threshold and the vocabulary."""

from __future__ import annotations

import numpy as np

from analysis.report.wording import count, number, plain
from analysis.study import Study
from analysis.theory import Side, side_by_theory, slope_ratio, threshold_depth


def theory_sentences(study: Study) -> tuple[str, ...]:
    """What the theory says of these networks."""
    cells = study.cells
    sides = [side_by_theory(float(d), float(w)) for d, w in zip(cells.depth, cells.width, strict=True)]
    efficient = sum(side == Side.SHALLOW for side in sides)
    widest = float(cells.width.max())
    said = [
        "By Levine et al. (2020) what a self-attention network can express grows double-exponentially with depth "
        "while L < log₃(d), and only exponentially in L·d beyond, where depth and width are interchangeable.",
        f"At the largest width trained, {plain(widest)}, log₃(d) is {number(float(threshold_depth(widest)), 2)} "
        f"layers. {efficient} of {count(len(sides), 'network')} lie on the depth-efficient side of their own width.",
    ]
    if "levine2020" in study.fits:
        slope = study.fits["levine2020"].law.values["b"]
        if slope > 0:
            said.append(
                f"The form, ln d linear in L, is what was fitted; its slope here is {number(slope)} a layer, and "
                f"theory's ln 3 is {number(slope_ratio(slope), 2)} times steeper: the threshold is no guideline."
            )
    if "vocabulary" in study.table.columns:
        vocabulary = study.table["vocabulary"].dropna()
        if len(vocabulary):
            limit = float(vocabulary.min())
            wide = int((cells.width > limit).sum())
            if wide:
                said.append(
                    f"Width beyond the rank of the embedding, at most the {plain(limit)} tokens of the vocabulary, is "
                    f"wasted by the authors' later argument: {count(wide, 'network')} here "
                    f"{'is' if wide == 1 else 'are'} wider."
                )
    return tuple(said)


def theory_rows(study: Study) -> tuple[tuple[str, str, str, str], ...]:
    """(depth × width, log₃(d), L over it, side) of each shape."""
    cells = study.cells
    rows = []
    for place in np.lexsort((cells.width, cells.depth)):
        depth, width = float(cells.depth[place]), float(cells.width[place])
        limit = float(threshold_depth(width))
        side = side_by_theory(depth, width)
        word = "depth-efficient" if side == Side.SHALLOW else "interchangeable"
        rows.append((cells.labels[place], number(limit), number(depth / limit, 2), word))
    return tuple(rows)
