"""Damaged and hostile files: named, set aside, and never run."""

import pickle
from pathlib import Path

import pytest

from orchestrator.checkpoints import DamagedCheckpoint, load
from sweeps.store import open_store
from tests.e2e.sweeping import sweep, until
from tests.faults.invariants import Rows, Scene, checkpoints, counted, send, spec, survived
from tests.orchestrator.gangs import planned, rows, run_gang
from tests.sweeps.specs import small
from tests.sweeps.test_intact import DAMAGE, flipped

Canary = Path("canary")


class Malicious:
    """Unpickling it makes a file."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.canary,)


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize(("damage", "message"), DAMAGE, ids=lambda value: getattr(value, "__name__", ""))
def test_a_damaged_part(stage: Scene, undisturbed: Path, damage, message: str) -> None:  # type: ignore[no-untyped-def]
    """Every reader says which file it is and ends with 4; with --allow-partial it answers without it. The run of a
    finished sweep asks for no step's loss, so a page of losses is not read, and not its to find."""
    import re
    import shutil

    with counted(f"Parquet part {damage.__name__}"):
        shutil.copytree(undisturbed, stage.results, dirs_exist_ok=True, ignore=shutil.ignore_patterns("corpora"))
        # the part that DAMAGE's messages speak of
        part = min(
            path for path in (stage.results / "metrics").iterdir() if not path.name.endswith("-00000000.parquet")
        )
        damage(part)
        told = message.replace("00000004.parquet", part.name)
        results = ["--results", str(stage.results)]
        readers = [["query", "select sum(loss) from metrics"], ["doctor"]]
        readers += [["run", str(spec(stage.folder))]] if damage is not flipped else []
        for words in readers:
            done = sweep(*words, *results)
            assert done.returncode == 4, (words, done.stderr)
            assert re.search(told.replace("is damaged: .*CRC checksum", "is damaged"), done.stderr + done.stdout)
        partial = sweep("query", "select count(loss) as n from metrics", "--allow-partial", "--json", *results)
        assert partial.returncode == 0
        assert part.name in partial.stderr
        assert 0 < int(partial.stdout.split(":")[1].split("}")[0]) < 4000


def test_a_malicious_pickle_never_runs(tmp_path: Path) -> None:
    """As a shard whose hash the manifest even vouches for, as a manifest, and beside them as DeepSpeed's own files."""
    with counted("malicious pickle as a checkpoint"):
        store = open_store(tmp_path / "r")
        trial = planned(small(grid={"depths": [2], "widths": [16]}), store).trials[0].trial
        assert run_gang(store, trial, 1, interrupt_at=8, checkpoint_every=1) == [0]
        canary = tmp_path / "canary"
        evil = pickle.dumps(Malicious(canary))
        pickle.loads(evil)
        assert canary.exists(), "the canary must be able to sing"
        canary.unlink()
        folder = store.root / "checkpoints" / trial.trial_id
        newest, older = sorted(folder.glob("*.json"), reverse=True)[:2]
        import hashlib
        import json

        manifest = json.loads(newest.read_text())
        (shard,) = manifest["shards"]
        (store.root / shard).write_bytes(evil)
        newest.write_text(json.dumps(manifest | {"shards": {shard: hashlib.sha256(evil).hexdigest()}}))
        step = int(newest.name.split("-")[0])
        with pytest.raises(DamagedCheckpoint):
            load(store, trial.trial_id, step, 1)
        for name in ("latest", "mp_rank_00_model_states.pt", "pytorch_model.bin"):
            (folder / name).write_bytes(evil)
        assert run_gang(store, trial, 2) == [0]
        assert rows(store, trial, "distinct resume_step")[-1] == (int(older.name.split("-")[0]),)
        assert not canary.exists()


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize("damage", ["flipped byte", "missing shard"])
def test_a_damaged_checkpoint_under_a_sweep(stage: Scene, reference: Rows, damage: str) -> None:
    run = stage.start(spec(stage.folder))
    until(lambda: checkpoints(stage.results) >= 2)
    send(run)
    run.communicate()
    stage.left.assert_none()
    for folder in (stage.results / "checkpoints").iterdir():
        if shards := sorted(folder.glob("*.safetensors")):
            data = bytearray(shards[-1].read_bytes())
            data[len(data) // 2] ^= 1
            shards[-1].unlink()
            if damage == "flipped byte":
                shards[-1].write_bytes(data)
    again = stage.run(spec(stage.folder))
    assert again.returncode == 0, again.stderr
    survived(f"checkpoint with a {damage}", stage, reference)
