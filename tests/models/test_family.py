"""A family that lives outside the repository: one file, named by an entry point of an installed distribution."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from models.counterpart import counterpart
from models.counts import flops_per_token, parameters, parameters_by_group, parameters_total
from models.decoder import Decoder
from models.family import find
from models.parametrization import Parametrization
from models.shape import ShapeError
from sweeps.planning import plan
from tests.sweeps.specs import small

# A decoder whose attention and feed-forward part stand side by side (as GPT-J's), with neither biases nor positions.
PARALLEL = '''\
"""Attention and a feed-forward part of 3·d beside each other, by turns behind a gate of their own."""

from models.attention import attend
from models.layout import Layout, Parameter, Role
from models.shape import ShapeError


def feed_forward(width):
    return 3 * width


def check(shape):
    if shape.option("power", 2) not in (1, 2):
        raise ShapeError(f"family parallel knows options.power 1 and 2, not {shape.option('power', 2)}")


def head_width_multiple():
    return 1


def layout(shape):
    D, F = shape.width, shape.feed_forward

    def matrix(name, out, into, group, residual=False):
        return Parameter(name=name, dims=(out, into), role=Role.MATRIX, group=group, residual=residual)

    def table(name, role, group):
        return Parameter(name=name, dims=(shape.vocabulary, D), role=role, group=group)

    return Layout(
        depth=shape.depth,
        stem=(table("token", Role.EMBEDDING, "embedding"),),
        block=(
            Parameter(name="norm", dims=(D,), role=Role.GAIN, group="norm"),
            matrix("qkv", 3 * D, D, "attention"),
            matrix("out", D, D, "attention", residual=True),
            matrix("up", F, D, "feed_forward"),
            matrix("down", D, F, "feed_forward", residual=True),
        ),
        tail=(Parameter(name="norm", dims=(D,), role=Role.GAIN, group="norm"),),
        head=() if shape.tied else (table("weight", Role.HEAD, "head"),),
    )


def kept(shape):
    return 7 * shape.width + 2 * shape.feed_forward, 2


def stem(w, tokens_BT, shape, m):
    from torch.nn import functional as fn

    return fn.embedding(tokens_BT, w.token)


def block(w, x_BTD, shape, m):
    from torch.nn import functional as fn

    B, T, D = x_BTD.shape
    h_BTD = fn.rms_norm(x_BTD, (D,), w.norm)
    qkv = fn.linear(h_BTD, w.qkv).view(B, T, 3, shape.heads, shape.head_width).permute(2, 0, 3, 1, 4)
    mixed_BTD = attend(*qkv.unbind(0), m.attention).transpose(1, 2).reshape(B, T, D)
    up_BTF = fn.relu(fn.linear(h_BTD, w.up)) ** shape.option("power", 2)
    return x_BTD.add(fn.linear(mixed_BTD, w.out) + fn.linear(up_BTF, w.down), alpha=m.residual)


def tail(w, x_BTD, shape, m):
    from torch.nn import functional as fn

    return fn.rms_norm(x_BTD, (shape.width,), w.norm)
'''


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The family's file and what an installer leaves beside it."""
    (tmp_path / "our_parallel.py").write_text(PARALLEL)
    facts = tmp_path / "our_networks-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: our-networks\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[interplay.families]\nparallel = our_parallel\n")
    monkeypatch.syspath_prepend(tmp_path)
    find.cache_clear()
    yield
    find.cache_clear()


@pytest.mark.usefixtures("installed")
def test_a_family_from_another_distribution_is_planned_counted_and_trained() -> None:
    spec = small(model={"family": "parallel", "options": {"power": 1}}, grid={"depths": [2], "widths": [16]})
    (planned,) = plan(spec, "c", {}).trials
    shape = planned.trial.shape
    assert (shape.feed_forward, parameters(shape)) == (48, 2 * (4 + 6) * 16**2)
    assert flops_per_token(shape) == 3 * (2 * parameters(shape) + 4 * 32 * 16 * 2 + 2 * 256 * 16)
    decoder = Decoder(shape, Parametrization(rule="completep", base_width=8, base_depth=1, base_head_width=4))
    assert parameters_total(shape) == sum(tensor.numel() for tensor in decoder.parameters())
    assert parameters_by_group(shape)["norm"] == 3 * 16
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=1e-2)
    tokens = torch.arange(66).view(2, 33) % 7
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = decoder(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 2


@pytest.mark.usefixtures("installed")
def test_what_such_a_family_refuses_and_lacks_is_said() -> None:
    with pytest.raises(ValueError, match=r"small: grid: family parallel knows options\.power 1 and 2, not 3"):
        plan(small(model={"family": "parallel", "options": {"power": 3}}), "c", {})
    shape = plan(small(model={"family": "parallel"}), "c", {}).trials[0].trial.shape
    with pytest.raises(ShapeError, match="family parallel cannot be exported: it does not say which of Hugging Face's"):
        counterpart(shape)


def test_without_it_the_families_here_are_named() -> None:
    find.cache_clear()
    with pytest.raises(ShapeError, match=r"there is no family 'parallel'\. The families here are gpt, llama"):
        find("parallel")
