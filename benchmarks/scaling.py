"""What a second worker gives a trial, by ZeRO stage; see ABOUT."""

import tempfile
from pathlib import Path

from benchmarks.orchestration import run
from benchmarks.rows import Curve
from sweeps.store import open_store
from sweeps.views import connect

TITLE = "Workers of one trial"
ABOUT = """
The same trial, with the same batch of 32 × 128 tokens, trained by one worker and by two of one thread each, through
`sweep run`; seconds a step are the median of the record's, the first 20 steps left out. Efficiency is the time of one
worker over twice the time of two. Two workers on one machine average gradients over gloo on its loopback, which is no
network: this shows the engine's own work, not what a cluster's links would add. Stage 3 gathers each block's parameters
anew in each step, which costs more than half of so small a network saves: it is for networks that do not fit otherwise.
"""

STAGES = (0, 1, 2, 3)
SHAPES = ((2, 64), (6, 256))
SPEC = """\
name: scaling
model: {{family: gpt, tokenizer: bytes, heads: 2, context: 128}}
grid: {{shapes: [[{depth}, {width}]]}}
data: {{corpus: python-stdlib}}
training: {{tokens: 3.2768e5, batch_tokens: 4096, learning_rate: 3e-3, precision: bf16, zero: {zero}}}
evaluation: {{tokens: 4096, points: 1}}
cluster: {{workers: {workers}}}
"""


def step_seconds(folder: Path, **asked: int) -> float:
    """Median seconds of a step of one trial."""
    name = "-".join(map(str, asked.values()))
    path, results = folder / f"{name}.yaml", folder / name
    path.write_text(SPEC.format(**asked))
    run(path, results)
    with connect(open_store(results)) as connection:
        found = connection.execute("select median(step_seconds) from metrics where step > 20").fetchone()
    return float(found[0])


def curves() -> list[Curve]:
    """Seconds a step against workers, a curve a shape and stage."""
    made = []
    with tempfile.TemporaryDirectory() as name:
        for depth, width in SHAPES:
            for zero in STAGES:
                one, two = (
                    step_seconds(Path(name), depth=depth, width=width, zero=zero, workers=workers) for workers in (1, 2)
                )
                made.append(
                    Curve(
                        name=f"{depth} × {width}, ZeRO {zero}",
                        x_label="workers",
                        y_label="seconds a step",
                        points=((1.0, one), (2.0, two)),
                        note=f"efficiency {one / (2 * two):.0%}",
                    )
                )
    return made


if __name__ == "__main__":
    for curve in curves():
        print(curve.name, curve.points, curve.note)
