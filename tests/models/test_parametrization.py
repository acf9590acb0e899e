"""Every entry of the tables in the papers, and what they promise: activations that move alike at every width and depth."""

from math import sqrt

import pytest
import torch

from models.architecture import Architecture
from models.decoder import Decoder
from models.parametrization import Parametrization, Treatment

GPT = Architecture(family="gpt", vocabulary=64, context=16, heads=2)
LLAMA = Architecture(family="llama", vocabulary=64, context=16, heads=2, feed_forward=4)
BASE = {"base_width": 16, "base_depth": 2, "base_head_width": 8}

# Yang et al. 2022, table 8, and Dey et al. 2025, table 1 with α = 1, at 4 times the width and 3 times the depth.
# (initial standard deviation over that at the base, rate, weight decay, ε)
TABLES = {
    "mup": {
        "stem.token": (1, 1, 1, 1 / 4),
        "stem.position": (1, 1, 1, 1 / 4),
        "blocks.1.norm1": (1, 1, 0, 1 / 4),
        "blocks.1.qkv": (1 / 2, 1 / 4, 4, 1 / 4),
        "blocks.1.qkv_bias": (1, 1, 0, 1 / 4),
        "blocks.1.out": (1 / 2 / sqrt(3), 1 / 4, 4, 1 / 4),
        "blocks.1.down": (1 / 2 / sqrt(3), 1 / 4, 4, 1 / 4),
        "tail.norm": (1, 1, 0, 1 / 4),
        "head.weight": (1, 1, 1, 1 / 4),
    },
    "completep": {
        "stem.token": (1, 1, 1, 1 / 4),
        "stem.position": (1, 1, 1, 1 / 4),
        "blocks.1.norm1": (1, 1, 0, 1 / 12),
        "blocks.1.qkv": (1 / 2, 1 / 4, 4, 1 / 12),
        "blocks.1.qkv_bias": (1, 1, 0, 1 / 12),
        "blocks.1.out": (1 / 2, 1 / 4, 4, 1 / 12),
        "blocks.1.down": (1 / 2, 1 / 4, 4, 1 / 12),
        "tail.norm": (1, 1, 0, 1 / 4),
        "head.weight": (1, 1, 1, 1 / 4),
    },
}


@pytest.mark.parametrize("rule", ["mup", "completep"])
@pytest.mark.parametrize("init_std", [None, 0.02])
def test_every_entry_of_the_papers_tables(rule: str, init_std: float | None) -> None:
    parametrization = Parametrization(rule=rule, init_std=init_std, **BASE)
    base, large = GPT.shape(2, 16), GPT.shape(6, 64)
    roles = Decoder(base).roles
    wide_roles = Decoder(large).roles
    for name, (std, rate, decay, epsilon) in TABLES[rule].items():
        start = parametrization.treatment(name, roles[name], base)
        found = parametrization.treatment(name, wide_roles[name], large)
        assert found.std == pytest.approx(start.std * std), name
        assert (found.learning_rate, found.weight_decay, found.epsilon) == pytest.approx((rate, decay, epsilon)), name


def test_multipliers_of_the_forward_pass() -> None:
    large = GPT.shape(6, 64)
    mup = Parametrization(rule="mup", **BASE).multipliers(large)
    assert (mup.residual, mup.output, mup.attention) == (1, 1 / 4, sqrt(8) / 32)
    completep = Parametrization(rule="completep", **BASE).multipliers(large)
    assert (completep.residual, completep.output, completep.attention) == (1 / 3, 1 / 4, sqrt(8) / 32)


def test_muons_matrices_keep_their_rate_at_every_width() -> None:
    parametrization = Parametrization(rule="completep", **BASE)
    large = GPT.shape(6, 64)
    for name, parameter in Decoder(large).roles.items():
        adam = parametrization.treatment(name, parameter, large)
        muon = parametrization.treatment(name, parameter, large, "muon")
        if name.startswith("blocks.") and parameter.role.value == "matrix":
            assert muon == Treatment(std=adam.std, learning_rate=1, weight_decay=1, epsilon=adam.epsilon)
        else:
            assert muon == adam


@pytest.mark.parametrize("rule", ["mup", "completep"])
def test_a_rule_without_its_base_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="needs base_width"):
        Parametrization(rule=rule)
    if rule == "completep":
        with pytest.raises(ValueError, match="needs base_depth"):
            Parametrization(rule=rule, base_width=16)


def moved(shape_of: Architecture, depth: int, width: int, rule: str, steps: int = 4) -> float:
    """How far the logits move in a few steps of Adam at one rate: root mean square."""
    shape = shape_of.shape(depth, width)
    base = {"base_width": 32, "base_depth": 2, "base_head_width": 16} if rule != "standard" else {}
    decoder = Decoder(shape, Parametrization(rule=rule, **base))
    groups = []
    for name, tensor in decoder.named_parameters():
        treatment = decoder.parametrization.treatment(name, decoder.roles[name], shape)
        groups.append({"params": [tensor], "lr": 1e-2 * treatment.learning_rate, "eps": 1e-8 * treatment.epsilon})
    optimizer = torch.optim.AdamW(groups, weight_decay=0.0)
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 64, (8, 17), generator=generator)
    with torch.no_grad():
        before = decoder(ids[:, :-1])
    for _ in range(steps):
        optimizer.zero_grad()
        decoder(ids[:, :-1], ids[:, 1:]).backward()
        optimizer.step()
    with torch.no_grad():
        return float((decoder(ids[:, :-1]) - before).square().mean().sqrt())


@pytest.mark.parametrize("architecture", [GPT, LLAMA], ids=["gpt", "llama"])
def test_logits_move_alike_at_every_width_and_depth(architecture: Architecture) -> None:
    """A small coordinate check; benchmarks/coordinates.py makes the whole one, with its figure."""
    base = moved(architecture, 2, 128, "completep")
    assert moved(architecture, 2, 512, "completep") == pytest.approx(base, rel=0.2)
    assert moved(architecture, 32, 128, "completep") == pytest.approx(base, rel=0.2)
    assert moved(architecture, 2, 512, "mup") == pytest.approx(base, rel=0.2)
    assert moved(architecture, 2, 512, "standard") > 1.7 * moved(architecture, 2, 128, "standard")
