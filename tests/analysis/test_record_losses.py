"""A record as a loss table: which rows, and what a tuned rate adds to their error."""

from pathlib import Path

import numpy as np
import pytest

from analysis.cells import cells_of
from analysis.record_losses import record_losses
from sweeps.planning import plan
from sweeps.record import part_name, publish_plan
from sweeps.rows import METRICS, encode
from sweeps.store import open_store
from tests.sweeps.specs import small

RATES = (1e-3, 1e-2, 1e-1)


def test_the_error_of_a_tuned_rate_is_in_nats_and_in_the_cells(tmp_path: Path) -> None:
    spec = small(
        grid={"depths": [1, 2], "widths": [8, 16, 24]},
        training={"learning_rate": {"transfer": "mup", "base": [1, 8], "sweep": list(RATES)}},
    )
    proxies = {p.trial.trial_id: p.trial.recipe.learning_rate for p in plan(spec, "c" * 64, {}).trials}
    losses = {trial: 3 + 0.05 * np.log(rate / 2e-2) ** 2 for trial, rate in proxies.items()}
    made = plan(spec, "c" * 64, losses)
    store = open_store(tmp_path)
    publish_plan(store, made, spec.model_dump(mode="json"), {})
    for number, planned in enumerate(made.trials):
        trial = planned.trial.trial_id
        loss = losses.get(trial, 3 + 0.01 * number)
        end = {"trial_id": trial, "attempt": 1, "resume_step": 0, "seq": 0, "step": planned.trial.last, "tokens": 6400}
        row = end | {"flops": 1.0, "event": "end", "reason": "completed", "eval_loss": loss}
        store.publish(part_name(trial, 1, 0), encode([row], METRICS))
    table = record_losses(store, "small")
    assert len(table) == 6
    error = np.log(2e-2 / 1e-2)  # the vertex lies so far from the best rate tried
    assert table["rate_log_error"].tolist() == pytest.approx([error] * 6, rel=2e-2)
    assert table["rate_error"].tolist() == pytest.approx([0.05 * error**2] * 6, rel=4e-2)
    from analysis.losses import checked

    assert cells_of(checked(table)).rate_error.tolist() == pytest.approx([0.05 * error**2] * 6, rel=4e-2)
