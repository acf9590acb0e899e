"""Records of sweeps that were never trained, as `sweep run` would have left them: their losses are of a known world."""

from datetime import UTC, datetime, timedelta

import numpy as np

from analysis.laws.levine2020 import Levine2020
from analysis.worlds import World, grid, some_repeats, valley_like
from models.counts import flops_per_token
from models.shape import Shape
from sweeps.record import claim, part_name, publish_plan_rows
from sweeps.rows import METRICS, encode
from sweeps.store import Store

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
# A transition at sizes that two cores train: 1 to 6 layers between 1e4 and 3e6 parameters.
LAW = Levine2020(a=3.2, b=0.35)
WORLD = World(law=LAW, valley=valley_like(0.11, 0.476, curvature=0.06), noise_sd=2e-3)
DEPTHS = (1, 2, 3, 4, 6, 8)
HARDWARE = {"host": "node-1", "workers": 1, "threads": 2, "micro_batch": 8, "device": "cpu"}
VERSIONS = [("python", "3.11.7"), ("torch", "2.13.0")]


def shapes_of(count: int) -> list[tuple[int, int]]:
    """About so many shapes over the world's transition."""
    return grid(DEPTHS, 8e3, 4e6, max(count // len(DEPTHS), 3) + 2, law=LAW, within=60)


def publish(
    store: Store,
    sweep: str = "world",
    *,
    shapes: list[tuple[int, int]] | None = None,
    ends: dict[int, str | None] | None = None,
    steps: int = 60,
    notes: str = "[]",
    spec: str = '{"name": "world"}',
) -> list[str]:
    """A plan and its trials, one a shape and seed; their ids.

    ends   by place in the plan: the reason of the end, None for a trial that is half done, "" for one not begun;
           all others are completed
    """
    shapes = shapes_of(40) if shapes is None else shapes
    seeds = some_repeats(shapes, every=4, seeds=3)
    table = WORLD.table(shapes, seeds, np.random.default_rng(7))
    ids = [f"{place:016x}" for place in range(1, len(table) + 1)]
    rows = []
    for place, (trial, row) in enumerate(zip(ids, table.to_dict("records"), strict=True)):
        shape = Shape(
            family="gpt",
            depth=row["depth"],
            width=row["width"],
            heads=2,
            kv_heads=2,
            feed_forward=4 * row["width"],
            vocabulary=256,
            context=128,
            tied=False,
            qk_norm=False,
        )
        rows.append(
            {
                "sweep": sweep,
                "plan": "a" * 12,
                "planned_at": START,
                "position": place,
                "trial_id": trial,
                "purpose": "result",
                "run": trial,
                "family": "gpt",
                "depth": row["depth"],
                "width": row["width"],
                "vocabulary": 256,
                "context": 128,
                "params": row["params"],
                "params_total": row["params"] * 2,
                "flops_per_token": float(flops_per_token(shape)),
                "first_step": 0,
                "last_step": steps,
                "tokens": steps * 2048.0,
                "batch_tokens": 2048,
                "seed": row["seed"],
                "learning_rate": 3e-3,
                "corpus": "c" * 64,
                "config": '{"numerics_version": 1}',
            }
        )
    footer = {
        "interplay.spec": spec,
        "interplay.notes": notes,
        "interplay.waiting": "[]",
        "interplay.versions": '{"python": "3.11.7"}',
    }
    publish_plan_rows(store, sweep, "a" * 12, rows, footer)
    for place, trial in enumerate(ids):
        end = (ends or {}).get(place, "completed")
        if end != "":
            train(store, trial, float(table["loss"][place]), end, steps, place)
    return ids


def train(store: Store, trial: str, loss: float, end: str | None, steps: int = 60, place: int = 0) -> None:
    """One attempt, whole or half done, with the held-out loss if it was completed."""
    began = START + timedelta(minutes=place)
    claim(store, trial, 1, {"driver": "d", "claimed_at": began, "versions": VERSIONS, **HARDWARE})
    fixed = {"trial_id": trial, "attempt": 1, "resume_step": 0, "flops": 1.0}
    lines = [fixed | {"step": 0, "tokens": 0, "event": "start", "reason": "initialisation", "wall_time": began}]
    for step in range(1, (steps if end == "completed" else steps // 2) + 1):
        seen = {"step": step, "tokens": step * 2048, "wall_time": began + timedelta(seconds=step)}
        pace = {"tokens_per_second": 2048.0, "step_seconds": 1.0}
        lines.append(fixed | seen | pace | {"loss": loss + 3.0 * step**-0.7 - 3.0 * steps**-0.7})
    if end is not None:
        last = {"eval_loss": loss, "eval_loss_se": 1e-3} if end == "completed" else {}
        lines.append(
            fixed
            | {"step": lines[-1]["step"], "tokens": lines[-1]["tokens"]}
            | last
            | {"event": "end", "reason": end, "wall_time": began}
        )
    numbered = [line | {"seq": seq} for seq, line in enumerate(lines)]
    store.publish(part_name(trial, 1, 0), encode(numbered, METRICS))
