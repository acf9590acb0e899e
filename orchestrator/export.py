"""A trained network as a folder that Hugging Face's AutoModelForCausalLM and AutoTokenizer load, offline."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.counterpart import converted, counterpart
from models.shape import ShapeError
from orchestrator import checkpoints
from orchestrator.checkpoints import DamagedCheckpoint
from orchestrator.corpora.prepared import read_manifest
from orchestrator.failures import TRAIN_ANEW
from orchestrator.portable_tokenizer import tokenizer_files, tokenizer_of
from sweeps.record import RecordError
from sweeps.safe_yaml import SpecError
from sweeps.store import Store
from sweeps.trial import Trial
from sweeps.views import connect


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A trial, and what the record says of it."""

    trial: Trial
    status: str
    eval_loss: float | None


def find_trial(store: Store, wanted: str) -> Recorded:
    """A trial by its id, or the beginning of one. Raises SpecError where there is none or more than one, and for one
    that another version of the numerics trained: its decoder may have been another one."""
    with connect(store) as connection:
        sql = "select trial_id, config, status, eval_loss from trials where starts_with(trial_id, ?)"
        found = connection.execute(sql, [wanted]).fetchall()
    if len(found) != 1:
        how_many = f"{len(found)} trials begin" if found else "no trial begins"
        raise SpecError(f"{how_many} with {wanted!r} in {store.uri}; `sweep status SWEEP` lists their ids")
    trial_id, config, status, loss = found[0]
    try:
        trial = Trial.from_config(json.loads(config))
    except (ValueError, KeyError) as error:
        raise SpecError(
            f"trial {trial_id} cannot be exported: {error}; export it with the interplay that trained it"
        ) from error
    return Recorded(trial=trial, status=status or "planned", eval_loss=loss)


def export(store: Store, wanted: str, out: Path) -> Recorded:
    """Write config.json, model.safetensors (fp32) and the tokenizer's files into `out`, all of them or nothing.

    A corpus that came as token ids has no tokenizer to write.

    Raises SpecError for a trial that is not there or not finished, a family or multiplier that Hugging Face's models
    cannot express, and a folder that is not empty; RecordError for weights or a corpus that are damaged or gone.
    """
    found = find_trial(store, wanted)
    trial, shape = found.trial, found.trial.shape
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SpecError(f"--out {out}: is there and not empty; name a new folder")
    weights = final_weights(store, found)
    try:
        config, tensors = counterpart(shape).config, converted(shape, trial.recipe.parametrization, weights)
    except ShapeError as error:
        raise SpecError(f"trial {trial.trial_id}: {error}") from error
    try:
        prepared = read_manifest(store, trial.corpus)
        tokenizer = tokenizer_of(store, prepared)
    except FileNotFoundError as error:
        raise RecordError(
            f"the corpus of trial {trial.trial_id} is not in {store.uri}, and with it its tokenizer is gone: {error}"
        ) from error
    files, end = tokenizer_files(tokenizer, shape.context) if tokenizer else ({}, None)
    special = {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end}
    files["config.json"] = json.dumps(config | special | {"dtype": "float32"}, indent=2)
    files["generation_config.json"] = json.dumps(special | {"max_length": shape.context}, indent=2)
    files["interplay.json"] = json.dumps(
        {"trial_id": trial.trial_id, "held_out_loss_nats": found.eval_loss, "config": trial.config}, indent=2
    )
    write(out, files, tensors)
    return found


def final_weights(store: Store, found: Recorded) -> dict[str, Any]:
    """Weights by name after the trial's last step. Raises SpecError where it is not there yet, RecordError where they
    are damaged."""
    trial = found.trial
    steps = checkpoints.listed(store, trial.trial_id)
    for step, attempt in steps:
        if step == trial.last:
            try:
                tensors = checkpoints.load(store, trial.trial_id, step, attempt)[1]
            except DamagedCheckpoint as error:
                raise RecordError(f"{error}; {TRAIN_ANEW}") from error
            return {name.removeprefix("weight/"): t for name, t in tensors.items() if name.startswith("weight/")}
    newest = f"its newest checkpoint is that of step {steps[0][0]}" if steps else "it has no checkpoint"
    raise SpecError(
        f"trial {trial.trial_id} has no weights of its last step, {trial.last}: {newest}, and its state is "
        f"{found.status!r}; finish it with `sweep run`"
    )


def write(out: Path, files: dict[str, str], tensors: dict[str, Any]) -> None:
    """All files in a folder beside `out`, which then takes its place."""
    import safetensors.torch

    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        safetensors.torch.save_file(tensors, work / "model.safetensors", metadata={"format": "pt"})
        for name, text in files.items():
            (work / name).write_text(text + "\n", encoding="utf-8")
        work.chmod(0o755)
        work.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
