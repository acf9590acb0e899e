"""What must hold after every fault, the runs it is held against, and the tally that docs/reliability.md is made of.

Every trial has one end state or can be resumed; the metrics view has each step once, without a gap, and equal to an
undisturbed run's; nothing of ours is left behind; what was finished is not trained again.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from orchestrator.audit import record_findings
from sweeps.record import PART_FILE
from sweeps.store import FolderStore
from sweeps.views import connect
from tests.e2e.sweeping import Leftovers, started, sweep

SPEC = """\
name: NAME
model: {family: gpt, tokenizer: bytes, heads: 2, context: 32}
grid: {depths: [1, 2], widths: [8]}
data: {corpus: python-stdlib}
training: {tokens: STEPS, batch_tokens: 256, learning_rate: 1e-2, zero: 1}
evaluation: {tokens: 1024, points: 1}
cluster: {checkpoint_seconds: 0.5}
"""
STEPS = 1200
TALLY = Path(os.environ.get("INTERPLAY_TALLY", Path(tempfile.gettempdir()) / f"interplay-faults-{os.getuid()}"))

Rows = dict[str, list[tuple[int, float]]]


def spec(folder: Path, *, name: str = "tiny", steps: int = STEPS, changes: dict[str, str] | None = None) -> Path:
    """A spec of two small trials; `changes` replaces text in it."""
    text = SPEC.replace("NAME", name).replace("STEPS", str(steps * 256))
    for old, new in (changes or {}).items():
        assert old in text
        text = text.replace(old, new)
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


class Scene:
    """A test's own results folder, its commands, and what is left of them."""

    def __init__(self, folder: Path, corpora: Path | None = None) -> None:
        self.folder, self.results = folder, folder / "r"
        # short, since Ray makes sockets in it
        self.temporary = Path(tempfile.mkdtemp(prefix="f", dir="/tmp"))
        self.left = Leftovers()
        if corpora is not None:
            shutil.copytree(corpora, self.results / "corpora", copy_function=os.link)

    def environment(self, **more: str) -> dict[str, str]:
        return {"TMPDIR": str(self.temporary), "RAY_TMPDIR": str(self.temporary)} | more

    def words(self, path: Path) -> list[str]:
        return ["run", str(path), "--results", str(self.results)]

    def run(self, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return sweep(*self.words(path), timeout=280, **self.environment(**environment))

    def start(self, path: Path, **environment: str) -> subprocess.Popen[str]:
        return started(*self.words(path), **self.environment(**environment))

    def close(self) -> None:
        shutil.rmtree(self.temporary, ignore_errors=True)


@contextmanager
def scene(folder: Path, corpora: Path | None = None) -> Iterator[Scene]:
    made = Scene(folder, corpora)
    try:
        yield made
    finally:
        made.close()


def metrics(results: Path) -> Rows:
    """Steps and losses by trial, in order, as the view has them."""
    with connect(FolderStore(results)) as connection:
        found = connection.execute("select trial_id, step, loss from metrics order by all").fetchall()
    rows: Rows = {}
    for trial, step, loss in found:
        rows.setdefault(trial, []).append((step, loss))
    return rows


def endings(results: Path) -> dict[str, list[str | None]]:
    """How each trial's attempts ended, in order."""
    with connect(FolderStore(results)) as connection:
        found = connection.execute("select trial_id, ended from attempts order by trial_id, attempt").fetchall()
    ends: dict[str, list[str | None]] = {}
    for trial, ended in found:
        ends.setdefault(trial, []).append(ended)
    return ends


def survived(fault: str, scene: Scene, reference: Rows, *, tolerance: float = 0.0) -> None:
    """Assert every invariant of a sweep that has ended, and count the fault; rows are counted before it is judged."""
    found = metrics(scene.results)
    lost = doubled = 0
    for trial, rows in reference.items():
        steps = Counter(step for step, _ in found.get(trial, []))
        lost += sum(step not in steps for step, _ in rows)
        doubled += sum(count - 1 for count in steps.values())
    tally(fault, lost=lost, doubled=doubled, survived=False)
    assert (lost, doubled) == (0, 0)
    assert {trial: [step for step, _ in rows] for trial, rows in found.items()} == {
        trial: [step for step, _ in rows] for trial, rows in reference.items()
    }
    if tolerance:
        for trial, rows in reference.items():
            gaps = [abs(a - b) for (_, a), (_, b) in zip(rows, found[trial], strict=True)]
            assert max(gaps) <= tolerance, f"{trial}: {max(gaps):.2g} nats apart"
    else:
        assert found == reference
    for trial, ends in endings(scene.results).items():
        assert ends[-1] == "completed", (trial, ends)
        assert ends.count("completed") == 1, f"{trial} was trained again after it had finished: {ends}"
    assert record_findings(FolderStore(scene.results)) == []
    nothing_left(scene)
    tally(fault, lost=0, doubled=0, survived=True)


def nothing_left(scene: Scene) -> None:
    """No process, shared memory, or temporary file; Ray's own logs, which it keeps, are its own."""
    scene.left.assert_none()
    hidden = [path for path in scene.results.rglob(".*") if path.is_file()]
    assert hidden == []
    # a node's cache of corpora stays for the next run; what a killed process left here the next run removes
    cache = f"interplay-{os.getuid()}"
    ours = [path.name for path in scene.temporary.glob("interplay-*") if path.name != cache]
    assert ours == []


def tally(fault: str, *, survived: bool, lost: int = 0, doubled: int = 0) -> None:
    """Note a fault for docs/reliability.md; the last word about one counts."""
    TALLY.mkdir(parents=True, exist_ok=True)
    line = {"fault": fault, "survived": survived, "lost": lost, "doubled": doubled}
    (TALLY / f"{hashlib.sha256(fault.encode()).hexdigest()[:16]}.json").write_text(json.dumps(line))


@contextmanager
def counted(fault: str) -> Iterator[None]:
    """A fault that the block must survive, noted either way."""
    tally(fault, survived=False)
    yield
    tally(fault, survived=True)


def processes(run: subprocess.Popen[str], *words: str) -> list[psutil.Process]:
    """Descendants of a run whose command line has one of the words."""
    found = []
    for child in psutil.Process(run.pid).children(recursive=True):
        try:
            if any(word in " ".join(child.cmdline()) for word in words):
                found.append(child)
        except psutil.Error:
            continue
    return found


def parts(results: Path) -> int:
    """Parts published so far."""
    folder = results / "metrics"
    return sum(bool(PART_FILE.fullmatch(path.name)) for path in folder.iterdir()) if folder.exists() else 0


def checkpoints(results: Path) -> int:
    """Checkpoints published so far: a sign that training is under way, and that there is something to resume."""
    return len(list(results.glob("checkpoints/*/*.json")))


def send(process: psutil.Process | subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
    os.kill(process.pid, number)
