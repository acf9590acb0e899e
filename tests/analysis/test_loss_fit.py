import json

import numpy as np
import pandas as pd
import pytest

from analysis.catalogue import find, published
from analysis.loss_fit import fit_losses, irreducible_profile, objective
from analysis.losses import checked
from analysis.status import FitError, Status


def drawn(
    law, *, noise=2e-3, seeds=1, seed=0, depths=(4, 8, 16, 32), widths=(128, 256, 512, 1024), tokens=(1e9, 4e9, 1.6e10)
):
    """A loss table from an additive law: one run a shape, whose noise its token counts share in part."""
    rng = np.random.default_rng(seed)
    rows = []
    for depth in depths:
        for width in widths:
            shared = rng.standard_normal()
            for count in tokens:
                params = 12 * depth * width**2
                loss = float(law.loss(depth=depth, width=width, params=params, tokens=count))
                error = noise * (0.7 * shared + 0.7 * rng.standard_normal())
                rows.append((f"{depth}x{width}", depth, width, params, count, loss * np.exp(error)))
    columns = ["run", "depth", "width", "params", "tokens", "loss"]
    return checked(
        pd.DataFrame(rows, columns=columns).assign(trial_id=lambda t: t["run"] + "@" + t["tokens"].astype(str))
    )


@pytest.fixture(scope="module")
def truth():
    return find("gemstones-width-depth-tokens")(
        exponents=(0.4, 0.6, 0.35), log_coefficients=(2.0, 0.3, 6.0), log_irreducible=np.log(1.8)
    )


def test_without_noise_the_constants_are_recovered(truth):
    fit = fit_losses(type(truth), drawn(truth, noise=0.0), replicates=0)
    assert fit.law.theta == pytest.approx(truth.theta, rel=2e-2)
    assert fit.objective < 1e-12
    assert fit.intervals["width_exponent"] is None


def test_intervals_over_runs_hold_the_truth(truth):
    held = []
    for seed in range(6):
        fit = fit_losses(type(truth), drawn(truth, seed=seed), replicates=40)
        best = float(truth.depth(1e9))
        low, high = fit.depth_interval(1e9)
        held.append(low <= best <= high)
    assert sum(held) >= 4  # binomial at 95 %: three or fewer in p < 0.003


def test_rows_of_a_run_are_resampled_together(truth):
    few = fit_losses(type(truth), drawn(truth, tokens=(1e9, 4e9, 1.6e10)), replicates=60)
    rows = drawn(truth, tokens=(1e9, 4e9, 1.6e10))
    # Ten near-copies of every row add nothing: had rows been resampled, the interval would shrink threefold.
    copies = pd.concat(
        [rows.assign(tokens=rows["tokens"] * (1 + 1e-9 * k), trial_id=rows["trial_id"] + f"-{k}") for k in range(10)]
    )
    many = fit_losses(type(truth), checked(copies), replicates=60)
    assert many.runs == few.runs == 16
    width, wider = (np.subtract(*fit.depth_interval(1e9)[::-1]) for fit in (many, few))
    assert width == pytest.approx(wider, rel=0.5)


@pytest.mark.parametrize(
    ("name", "published_value"),
    [
        ("gemstones-params-tokens", 0.00069233),
        ("gemstones-width-depth-tokens", 0.00041994618),
        ("gemstones-width-depth-params-tokens", 0.0002949708),
    ],
)
def test_the_gemstones_optima_are_reached_or_beaten(name, published_value, gemstones):
    law, _ = published(name)
    fit = fit_losses(type(law), gemstones, replicates=0)
    assert fit.objective <= published_value
    assert fit.objective == pytest.approx(objective(fit.law, gemstones), rel=1e-9)
    assert fit.rows == 770
    assert fit.runs == 22


def test_the_unidentified_irreducible_loss_is_reported_with_what_hangs_on_it(gemstones):
    law = find("gemstones-width-depth-tokens")
    fit = fit_losses(law, gemstones, replicates=40)
    assert fit.status == Status.NOT_IDENTIFIED
    assert "irreducible loss ended at zero" in " ".join(fit.notes)
    assert fit.intervals["log_irreducible"] is None
    assert json.loads(json.dumps(fit.as_json(), allow_nan=False)) == fit.as_json()
    profile = irreducible_profile(law, gemstones, np.array([0.0, 1.0, 2.0]))
    objectives = [entry["objective"] for entry in profile]
    depths = [entry["depth"] for entry in profile]
    assert objectives == sorted(objectives)
    assert depths[0] > 2 * depths[1] > 2 * depths[2] / 1.5


def test_a_variable_that_does_not_vary_is_refused(truth):
    with pytest.raises(FitError, match=r"tokens in it, and every usable row has the same tokens \(1e\+09\)"):
        fit_losses(type(truth), drawn(truth, tokens=(1e9,)))


def test_too_few_runs_are_refused_however_many_rows(truth):
    with pytest.raises(FitError, match=r"4 runs are too few.*rows of one run are not independent"):
        fit_losses(
            type(truth), drawn(truth, depths=(4, 8), widths=(128, 512), tokens=tuple(np.geomspace(1e9, 1e11, 20)))
        )


def test_a_law_in_all_parameters_takes_the_total_where_the_table_has_it(gemstones):
    from analysis.loss_fit import law_columns

    assert law_columns(gemstones)["params"][0] == 543_482_880
    assert (
        law_columns(gemstones.assign(params_total=pd.array([pd.NA] * len(gemstones), "Int64")))["params"][0]
        == 440_401_920
    )
