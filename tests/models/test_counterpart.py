"""Our decoders and Hugging Face's give the same logits on real text, multipliers folded in or refused."""

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from models import counterpart as counterparts
from models.architecture import Architecture
from models.counterpart import Counterpart, converted, counterpart, folded
from models.decoder import Decoder
from models.family import find
from models.parametrization import Parametrization
from models.shape import Shape, ShapeError

STANDARD = Parametrization()
MUP = Parametrization(rule="mup", base_width=16, base_head_width=4)
COMPLETEP = Parametrization(rule="completep", base_width=16, base_depth=2, base_head_width=4)

GPT = Architecture(family="gpt", vocabulary=256, context=64, heads=4)
LLAMA = Architecture(family="llama", vocabulary=256, context=64, heads=4, kv_heads=2)


def with_(architecture: Architecture, **changes: object) -> Shape:
    return replace(architecture, **changes).shape(6, 64)


SHAPES = {
    "gpt": with_(GPT),
    "gpt tied": with_(GPT, tied=True),
    "llama": with_(LLAMA, kv_heads=None),
    "llama grouped": with_(LLAMA),
    "llama grouped tied": with_(LLAMA, tied=True),
    "llama one key-value head, wider feed-forward": with_(LLAMA, kv_heads=1, feed_forward=3.5),
    "qwen grouped": with_(LLAMA, qk_norm=True),
    "qwen tied": with_(LLAMA, qk_norm=True, tied=True),
}


def real_text(context: int) -> torch.Tensor:
    """Bytes of a module of the standard library, in windows of the context."""
    data = Path(os.__file__).read_bytes()[: 8 * context]
    return torch.tensor(list(data)).view(8, context)


def network(shape: Shape, parametrization: Parametrization) -> Decoder:
    """A decoder in which no parameter is at a value that would hide a mistake: gains not one, biases not zero."""
    decoder = Decoder(shape, parametrization, seed=3)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in decoder.parameters():
            tensor.add_(torch.randn(tensor.shape, generator=generator), alpha=0.1)
    return decoder.eval()


def theirs(shape: Shape, tensors: dict[str, torch.Tensor]) -> torch.nn.Module:
    from transformers import AutoConfig, AutoModelForCausalLM

    config = dict(counterpart(shape).config)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(config.pop("model_type"), **config))
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    assert not unexpected
    assert set(missing) <= ({"lm_head.weight"} if shape.tied else set())
    model.tie_weights()
    return model.eval()


@pytest.mark.parametrize("rule", [STANDARD, MUP, COMPLETEP], ids=lambda rule: rule.rule)
@pytest.mark.parametrize("name", SHAPES)
@torch.no_grad()
def test_logits_are_hugging_faces(name: str, rule: Parametrization) -> None:
    shape = SHAPES[name]
    decoder, tokens = network(shape, rule), real_text(shape.context)
    other = theirs(shape, converted(shape, rule, decoder.state_dict()))
    ours, found = decoder(tokens), other(tokens).logits
    assert ours.abs().max() > 0.1
    torch.testing.assert_close(found, ours, rtol=0, atol=1e-4)
    kinds = {"gpt": "GPT2LMHeadModel", "llam": "LlamaForCausalLM", "qwen": "Qwen3ForCausalLM"}
    assert type(other).__name__ == kinds[name.split()[0][:4]]


def test_every_tensor_has_a_counterpart() -> None:
    for shape in SHAPES.values():
        assert set(counterpart(shape).names) == set(Decoder(shape).state_dict())


def test_a_family_without_a_counterpart_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counterparts, "find", lambda name: SimpleNamespace())
    with pytest.raises(ShapeError, match="family gpt cannot be exported: it does not say which of Hugging Face's"):
        counterpart(SHAPES["gpt"])


def test_multipliers_with_nothing_to_fold_into_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = SHAPES["gpt tied"]
    without = Counterpart(config={}, names={}, queries={})
    with pytest.raises(ShapeError, match="has no parameter that scales queries alone; train it without transfer"):
        folded(shape, MUP.multipliers(shape), without)
    layout = replace(find("gpt").layout(shape), tail=())
    monkeypatch.setattr(counterparts, "find", lambda name: SimpleNamespace(layout=lambda shape: layout))
    with pytest.raises(ShapeError, match="has no gain to take the factor; train it with tied: false"):
        folded(shape, MUP.multipliers(shape), Counterpart(config={}, names={}, queries={"qkv": 64}))
