"""`sweep export`: what it writes is what transformers loads, offline, to the same logits."""

import json
from pathlib import Path

import pytest
import torch

from models.decoder import Decoder
from orchestrator import checkpoints
from orchestrator.corpora.tokens import open_tokens
from orchestrator.export import export
from orchestrator.portable_tokenizer import byte_tokenizer
from sweeps.record import RecordError
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec
from sweeps.store import Store, open_store
from sweeps.trial import Trial
from tests.orchestrator.gangs import planned, run_gang
from tests.sweeps.specs import small

CELL = {"grid": {"depths": [2], "widths": [16]}, "training": {"tokens": 2560}}
TEXT = 'def café(x: int) -> str:\n    return f"{x} €, 🐍"\n'


def trained(store: Store, spec: Spec) -> Trial:
    trial = planned(spec, store).trials[0].trial
    assert run_gang(store, trial, 1) == [0]
    return trial


def ours(store: Store, trial: Trial, tokens: torch.Tensor) -> torch.Tensor:
    """Logits of our own decoder with the trial's final weights."""
    (step, attempt), *_ = checkpoints.listed(store, trial.trial_id)
    tensors = checkpoints.load(store, trial.trial_id, step, attempt)[1]
    decoder = Decoder(trial.shape, trial.recipe.parametrization)
    decoder.load_state_dict({name.removeprefix("weight/"): t for name, t in tensors.items() if "weight/" in name})
    with torch.no_grad():
        return decoder.eval()(tokens)


@pytest.mark.parametrize(
    "model",
    [
        {"family": "gpt", "tokenizer": "bytes"},
        {"family": "llama", "tokenizer": "bpe", "vocabulary": 300, "heads": 4, "kv_heads": 2, "tied": True},
        {"family": "llama", "tokenizer": "bytes", "heads": 2, "qk_norm": True},
    ],
    ids=["gpt bytes", "llama bpe", "qwen bytes"],
)
def test_an_exported_folder_loads_offline_and_generates(
    tmp_path: Path, model: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    store, out = open_store(tmp_path / "r"), tmp_path / "network"
    trial = trained(store, small(**CELL, model=model))
    export(store, trial.trial_id[:8], out)
    network, tokenizer = AutoModelForCausalLM.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    assert network.dtype == torch.float32

    held_out = open_tokens(store, trial.corpus).held_out[: 8 * trial.shape.context].astype("int64")
    tokens = torch.from_numpy(held_out).view(8, -1)
    with torch.no_grad():
        found = network(tokens).logits
    torch.testing.assert_close(found, ours(store, trial, tokens), rtol=0, atol=1e-4)

    assert tokenizer.decode(tokenizer(TEXT)["input_ids"]) == TEXT
    document = (
        bytes(held_out[:40].tolist()).decode() if model["tokenizer"] == "bytes" else tokenizer.decode(held_out[:20])
    )
    assert tokenizer(document)["input_ids"] == held_out[: len(tokenizer(document)["input_ids"])].tolist()
    prompt = tokenizer("import ", return_tensors="pt")
    written = network.generate(**prompt, max_new_tokens=12, do_sample=False)
    assert written.shape == (1, prompt["input_ids"].shape[1] + 12) or written[0, -1] == tokenizer.eos_token_id
    assert tokenizer.decode(written[0]).startswith("import ")
    assert json.loads((out / "interplay.json").read_text())["trial_id"] == trial.trial_id


def test_bytes_are_their_own_ids() -> None:
    tokenizer = byte_tokenizer()
    assert tokenizer.get_vocab_size() == 256
    text = TEXT + "".join(map(chr, range(1, 0x250))) + "\u0100"
    assert tokenizer.encode(text).ids == list(text.encode())
    assert tokenizer.encode("a<|endoftext|>b\0").ids == [97, 0, 98, 0]
    assert tokenizer.decode(list(text.encode())) == text


def test_what_cannot_be_exported_is_refused_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, out = open_store(tmp_path / "r"), tmp_path / "network"
    trial = planned(small(**CELL), store).trials[0].trial
    with pytest.raises(SpecError, match=r"no trial begins with 'ffff' in .*; `sweep status SWEEP` lists their ids"):
        export(store, "ffff", out)
    with pytest.raises(SpecError, match="has no weights of its last step, 10: it has no checkpoint, and its state is"):
        export(store, trial.trial_id, out)
    assert run_gang(store, trial, 1) == [0]
    with monkeypatch.context() as newer:
        newer.setattr("sweeps.trial.NUMERICS_VERSION", 99)
        with pytest.raises(SpecError, match=r"made by numerics version \d+; this code is 99; export it"):
            export(store, trial.trial_id, out)
    (shard,) = (tmp_path / "r" / "checkpoints" / trial.trial_id).glob("*.safetensors")
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1])
    with pytest.raises(RecordError, match="its hash is not the manifest's"):
        export(store, trial.trial_id, out)
    assert not out.exists()
    shard.write_bytes(whole)
    out.mkdir()
    (out / "notes").write_text("mine")
    with pytest.raises(SpecError, match="is there and not empty; name a new folder"):
        export(store, trial.trial_id, out)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
