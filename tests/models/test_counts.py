"""Closed forms against the real module, torch's own counter, and Hugging Face's models."""

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from models.architecture import Architecture
from models.counts import flops_per_token, forward_flops_per_token, parameters, parameters_by_group, parameters_total
from models.decoder import Decoder
from models.family import find
from models.layout import Role
from models.shape import Shape, ShapeError
from sweeps.cells import architecture_of, shapes_of
from sweeps.loading import load_spec

GPT = Architecture(family="gpt", vocabulary=256, context=32, heads=2)
LLAMA = Architecture(family="llama", vocabulary=300, context=32, heads=4, kv_heads=2)
SHAPES = [
    GPT.shape(1, 10),
    GPT.shape(3, 24),
    Architecture(family="gpt", vocabulary=100, context=16, head_width=8, tied=True).shape(2, 32),
    LLAMA.shape(2, 32),
    Architecture(family="llama", vocabulary=64, context=16, head_width=8, tied=True, qk_norm=True).shape(3, 24),
    Architecture(family="llama", vocabulary=64, context=16, heads=2, feed_forward=3.5).shape(1, 16),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{s.family} {s.label}")
def test_parameters_by_group_are_the_modules(shape: Shape) -> None:
    decoder = Decoder(shape)
    real: dict[str, int] = {}
    for name, tensor in decoder.named_parameters():
        group = decoder.roles[name].group
        real[group] = real.get(group, 0) + tensor.numel()
    assert parameters_by_group(shape) == real
    assert parameters_total(shape) == sum(tensor.numel() for tensor in decoder.parameters())


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{s.family} {s.label}")
def test_n_is_every_matrix_inside_the_blocks(shape: Shape) -> None:
    matrices = [t for name, t in Decoder(shape).named_parameters() if name.startswith("blocks.") and t.ndim == 2]
    assert parameters(shape) == sum(tensor.numel() for tensor in matrices)


def test_n_of_the_papers_block() -> None:
    for depth, width in [(12, 768), (48, 1600), (96, 12288)]:
        assert parameters(GPT.shape(depth, width)) == 12 * depth * width**2


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{s.family} {s.label}")
def test_flops_are_torchs_within_one_percent(shape: Shape) -> None:
    decoder = Decoder(shape)
    tokens = torch.randint(0, shape.vocabulary, (2, shape.context))
    with FlopCounterMode(display=False) as counter:
        loss = decoder(tokens, tokens)
    assert counter.get_total_flops() / tokens.numel() == pytest.approx(forward_flops_per_token(shape), rel=0.01)
    with FlopCounterMode(display=False) as counter:
        decoder(tokens, tokens).backward()
    assert counter.get_total_flops() / tokens.numel() == pytest.approx(flops_per_token(shape), rel=0.01)
    assert loss.dtype == torch.float32


def test_sized_finds_the_nearest_width_as_a_ratio() -> None:
    for depth in (1, 2, 7):
        for size in (3e4, 1e5, 7.7e6):
            found = GPT.sized(depth, size)
            ratios = {width: max(n / size, size / n) for width in range(2, 2000, 2) for n in [12 * depth * width**2]}
            assert found.width == min(ratios, key=lambda width: ratios[width])


def test_a_size_that_no_width_has_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"no network of 48 layers has a size near 100 .* widths go in steps of 2"):
        GPT.sized(48, 100)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 0}, "depth is 0; it must be a whole number of at least 1"),
        ({"width": 33}, "width 33 does not divide by heads 2; the nearest widths that do are 32 and 34"),
        ({"kv_heads": 3, "heads": 4, "width": 32}, "heads 4 does not divide by kv_heads 3"),
    ],
)
def test_impossible_shapes_are_refused(change: dict[str, int], message: str) -> None:
    whole = {
        "family": "gpt", "depth": 1, "width": 32, "heads": 2, "kv_heads": 2,
        "feed_forward": 128, "vocabulary": 256, "context": 32,
    }  # fmt: skip
    with pytest.raises(ShapeError, match=message):
        Shape(**(whole | change))


def test_an_unknown_family_is_named_with_the_nearest_one() -> None:
    with pytest.raises(ShapeError, match="there is no family 'gtp'; did you mean 'gpt'"):
        find("gtp")


def test_only_matrices_of_blocks_have_the_matrix_role() -> None:
    for shape in SHAPES:
        layout = find(shape.family).layout(shape)
        assert not [p for p in layout.stem + layout.tail + layout.head if p.role is Role.MATRIX]


def shapes_of_shipped_specs() -> list[Shape]:
    """Every shape that a spec in sweeps/ asks for, each once."""
    found: dict[Shape, None] = {}
    for path in sorted((Path(__file__).parents[2] / "sweeps").glob("*.yaml")):
        spec = load_spec(path)
        architecture = architecture_of(spec)
        for grid in spec.grid:
            found |= dict.fromkeys(shapes_of(grid, architecture, spec.name)[0])
    return list(found)


def test_closed_forms_hold_for_every_shape_in_the_specs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.decoder.initialise", lambda decoder, seed: None)  # a shape has no numbers to fill
    shapes = shapes_of_shipped_specs()
    assert len(shapes) > 60
    for shape in shapes:
        with torch.device("meta"):
            decoder = Decoder(shape)
            tokens = torch.zeros((2, shape.context), dtype=torch.long)
            real: dict[str, int] = {}
            for name, tensor in decoder.named_parameters():
                group = decoder.roles[name].group
                real[group] = real.get(group, 0) + tensor.numel()
            with FlopCounterMode(display=False) as counter:
                decoder(tokens)
        assert parameters_by_group(shape) == real, shape
        measured = counter.get_total_flops() / tokens.numel()
        assert measured == pytest.approx(forward_flops_per_token(shape), rel=0.01), shape
