"""The decoders do what their papers say, and their numbers depend on nothing they should not."""

import pytest
import torch
from torch.nn import functional as fn

from models import attention
from models.architecture import Architecture
from models.decoder import Decoder
from models.parametrization import Parametrization

GPT = Architecture(family="gpt", vocabulary=64, context=16, heads=2)
LLAMA = Architecture(family="llama", vocabulary=64, context=16, heads=4, kv_heads=2)


@pytest.mark.parametrize("architecture", [GPT, LLAMA], ids=["gpt", "llama"])
def test_no_position_sees_a_later_one(architecture: Architecture) -> None:
    decoder = Decoder(architecture.shape(2, 16))
    tokens = torch.randint(0, 64, (1, 16))
    changed = tokens.clone()
    changed[0, 10] = (changed[0, 10] + 1) % 64
    before, after = decoder(tokens), decoder(changed)
    torch.testing.assert_close(before[:, :10], after[:, :10], rtol=0, atol=0)
    assert (before[:, 10:] != after[:, 10:]).any(dim=-1).all()


@pytest.mark.parametrize("architecture", [GPT, LLAMA], ids=["gpt", "llama"])
def test_both_attention_kernels_agree(architecture: Architecture, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = Decoder(architecture.shape(2, 16))
    tokens = torch.randint(0, 64, (2, 16))
    plain = decoder(tokens)
    monkeypatch.setattr(attention, "PLAIN_CONTEXT", 0)
    torch.testing.assert_close(decoder(tokens), plain, rtol=1e-5, atol=1e-5)


def test_loss_is_the_mean_cross_entropy_of_the_logits() -> None:
    decoder = Decoder(GPT.shape(1, 16))
    tokens, targets = torch.randint(0, 64, (2, 2, 16))
    expected = fn.cross_entropy(decoder(tokens).flatten(0, 1), targets.flatten())
    torch.testing.assert_close(decoder(tokens, targets), expected)


def test_a_parameters_start_depends_on_seed_and_name_alone() -> None:
    shallow, deep = Decoder(GPT.shape(1, 16), seed=5), Decoder(GPT.shape(3, 16), seed=5)
    torch.testing.assert_close(shallow.stem.token, deep.stem.token, rtol=0, atol=0)
    assert not torch.equal(Decoder(GPT.shape(1, 16), seed=6).stem.token, shallow.stem.token)
    torch.rand(3)
    torch.testing.assert_close(Decoder(GPT.shape(1, 16), seed=5).blocks[0].qkv, shallow.blocks[0].qkv, rtol=0, atol=0)


def test_recomputed_activations_change_no_number() -> None:
    tokens, targets = torch.randint(0, 64, (2, 2, 16))
    gradients = []
    for recompute in (False, True):
        decoder = Decoder(GPT.shape(2, 16), checkpoint_activations=recompute)
        decoder(tokens, targets).backward()
        gradients.append([parameter.grad for parameter in decoder.parameters()])
    torch.testing.assert_close(gradients[0], gradients[1], rtol=0, atol=0)


@pytest.mark.parametrize("rule", ["mup", "completep"])
def test_a_transferring_rule_is_the_standard_one_at_its_base(rule: str) -> None:
    shape = GPT.shape(2, 16)
    parametrization = Parametrization(rule=rule, base_width=16, base_depth=2, base_head_width=8)
    tokens = torch.randint(0, 64, (2, 16))
    torch.testing.assert_close(Decoder(shape, parametrization)(tokens), Decoder(shape)(tokens))
    for name, parameter in Decoder(shape).roles.items():
        assert parametrization.treatment(name, parameter, shape) == Parametrization().treatment(name, parameter, shape)
