"""Training throughput beside Hugging Face's GPT-2 of the same shape; see ABOUT.

How each side trains is in benchmarks/sides.py.
`python -m benchmarks.training DEPTHxWIDTH [SECONDS [HEADS CONTEXT SEQUENCES]]` measures one shape and prints JSON; with
CUDA, on one GPU, which the table's batches of 32 × 128 tokens do not fill.
"""

from __future__ import annotations

import importlib
import json
import sys
from statistics import median

from benchmarks.rows import Curve, Row
from benchmarks.sides import SMALL, VOCABULARY, Batch, Way, measure
from models.architecture import Architecture
from models.counts import flops_per_token

TITLE = "Training throughput"
ABOUT = """
Tokens a second of the whole loop: batches of the prepared corpus of the quickstart (V = 2000), forward and backward
through the DeepSpeed engine in bf16 at ZeRO 1, clipping, fused AdamW, a row a step to Parquet; context 128, batch 32,
two heads. The peer is transformers' GPT-2 of the same shape as it comes, trained by a bare PyTorch loop with bf16
autocast, clipping and fused AdamW on the same batches. Interplay has the two cores as a sweep has them, two trials of
one thread side by side; the peer in its better arrangement, that or one process of two threads; compiled GPT-2 stands
beside, in one process. The sides alternate; figures are medians.
"""

SHAPES = {(2, 64): 2.0, (6, 128): 2.2, (6, 256): 2.0, (12, 384): 1.8}
LIMIT = """by the profile products are half of the step, those of weights' gradients at 0.6 to 0.8 TFLOP/s a core where
square ones reach 1.25; the rest is GELU, copies, norms, AdamW. Tried: compiled blocks (no quicker at this shape) and
gradients written transposed first (costs more than it saves); docs/log.md"""


def best(paces: dict[Way, list[float]], side: str, compiled: bool | None = None) -> Way:
    """The quickest way of a side."""
    mine = [way for way in paces if way.side == side and compiled in (None, way.compiled)]
    return max(mine, key=lambda way: median(paces[way]))


def flops_of_token(depth: int, width: int, size: Batch = SMALL) -> float:
    """Of training, of a shape of the table."""
    architecture = Architecture(family="gpt", vocabulary=VOCABULARY, context=size.context, heads=size.heads)
    return flops_per_token(architecture.shape(depth, width))


def shape_rows(
    depth: int, width: int, paces: dict[Way, list[float]], target: float | None, size: Batch = SMALL
) -> list[Row]:
    tokens = size.tokens
    mine, theirs, compiled = best(paces, "ours"), best(paces, "peer", False), best(paces, "peer", True)
    ratio = median(a / b for a, b in zip(paces[mine], paces[theirs], strict=True))
    speeds = {way: tokens * median(each) for way, each in paces.items() if way.side != "matmul"}
    rows = [
        Row(
            name=f"tokens/s, {depth} × {width}",
            figure=ratio,
            unit="×",
            target=target,
            peer=f"{mine.label} {speeds[mine]:,.0f}; {theirs.label} {speeds[theirs]:,.0f}",
            note="; ".join(f"{way.label} {speeds[way]:,.0f}" for way in speeds if way not in (mine, theirs, compiled)),
        ),
        Row(
            name=f"tokens/s against compiled GPT-2, {depth} × {width}",
            figure=median(a / b for a, b in zip(paces[mine], paces[compiled], strict=True)),
            unit="×",
            peer=f"{compiled.label} {speeds[compiled]:,.0f}",
        ),
    ]
    (machine,) = (each for way, each in paces.items() if way.side == "matmul")
    used = flops_of_token(depth, width, size) * speeds[mine]
    rate = 2 * 2048**3 * median(machine)
    share = Row(
        name=f"share of the bf16 product rate, {depth} × {width}",
        figure=used / rate,
        unit="",
        target=0.5 if (depth, width) == (12, 384) else None,
        peer=f"{used / 1e12:.2f} of {rate / 1e12:.2f} TFLOP/s (products of 2048 × 2048)",
        note=" ".join(LIMIT.split()) if (depth, width) == (12, 384) else "",
    )
    return [*rows, share]


def rates(shapes: list[tuple[int, int]], seconds: list[float]) -> str:
    """FLOPs of a step of each shape over its seconds: level or rising where no cost grows faster than the work."""
    return ", ".join(
        f"{flops_of_token(*shape) * SMALL.tokens / took / 1e12:.2f}"
        for shape, took in zip(shapes, seconds, strict=True)
    )


def rows() -> list[Row]:
    importlib.import_module("transformers")  # before anything is measured: it is in the extra `bench`
    made: list[Row] = []
    for (depth, width), target in SHAPES.items():
        made += shape_rows(depth, width, measure(depth, width), target)
    return made


def curves() -> list[Curve]:
    """Seconds a step against FLOPs, by depth and by width."""
    made = []
    for name, shapes in (
        ("Depth 2 to 48 at width 128", [(depth, 128) for depth in (2, 6, 12, 24, 48)]),
        ("Width 64 to 1024 at depth 4", [(4, width) for width in (64, 128, 256, 512, 1024)]),
    ):
        points = []
        for depth, width in shapes:
            paces = measure(depth, width, rounds=1, sides=("ours",))
            points.append((float(depth if "Depth" in name else width), 2 / max(map(median, paces.values()))))
        made.append(
            Curve(
                name=name,
                x_label=name.split()[0].lower(),
                y_label="seconds a step and core",
                points=tuple(points),
                note=f"TFLOP/s a core {rates(shapes, [seconds for _, seconds in points])}",
            )
        )
    return made


if __name__ == "__main__":
    asked = tuple(int(part) for part in sys.argv[1].split("x"))
    heads, context, sequences = map(int, sys.argv[3:6] or (SMALL.heads, SMALL.context, SMALL.sequences))
    size = Batch(heads=heads, context=context, sequences=sequences)
    took = measure(asked[0], asked[1], *(float(word) for word in sys.argv[2:3]), size=size)
    print(json.dumps({way.label: [round(pace * size.tokens) for pace in each] for way, each in took.items()}))
    target = SHAPES.get((asked[0], asked[1])) if size == SMALL else None
    for row in shape_rows(asked[0], asked[1], took, target, size):
        print(row)
