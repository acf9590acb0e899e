"""`sweep` as a user's shell runs it, and what is left of it afterwards."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
SWEEP = [sys.executable, "-c", "from orchestrator.cli import main; main()"]

# How many times longer than on two quiet cores everything may take here.
PATIENCE = float(os.environ.get("INTERPLAY_PATIENCE", "1"))

MARK, MARKED = "INTERPLAY_STARTED_BY", f"test {os.getpid()}"

SPEC = """\
name: tiny
model: {family: gpt, tokenizer: bytes, heads: 2, context: 32}
grid: {depths: [1, 2], widths: [8, 16]}
data: {corpus: python-stdlib}
training: {tokens: STEPS, batch_tokens: 256, learning_rate: 1e-2, zero: 1}
evaluation: {tokens: 1024, points: 1}
cluster: {checkpoint_seconds: 1}
"""


def spec(folder: Path, steps: int = 100, old: str = "", new: str = "") -> Path:
    """A spec of four trials of so many steps."""
    path = folder / "tiny.yaml"
    path.write_text(SPEC.replace("STEPS", str(steps * 256)).replace(old, new))
    return path


def sweep(*words: str, timeout: float = 240, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [*SWEEP, *words],
        capture_output=True,
        text=True,
        timeout=timeout * PATIENCE,
        cwd=ROOT,
        env=os.environ | {MARK: MARKED} | environment,
        check=False,
    )


def started(*words: str, **environment: str) -> subprocess.Popen[str]:
    """Start one command and go on."""
    return subprocess.Popen(
        [*SWEEP, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {MARK: MARKED} | environment,
    )


def until(condition: object, seconds: float = 120) -> None:
    """Wait until a function is true."""
    deadline = time.monotonic() + seconds * PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def actors(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes in which trials train."""
    found = []
    for child in descendants(process):
        try:
            if "ResourceTrainable" in " ".join(child.cmdline()) or "WorkerActor" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def steps_done(results: Path) -> int:
    """Checkpoints published so far, over all trials: a sign that training is under way."""
    return len(list(results.glob("checkpoints/*/*.json")))


class Leftovers:
    """Processes that this test process's commands started, and shared memory; other people's are not looked at."""

    def __init__(self) -> None:
        self.before = self.now()

    def now(self) -> set[str]:
        found = {
            f"shared memory {path.name}" for path in Path("/dev/shm").iterdir() if path.stat().st_uid == os.getuid()
        }
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == MARKED and process.status() != psutil.STATUS_ZOMBIE:
                    found.add(f"process {process.pid} {' '.join(process.cmdline())[:80]}")
            except psutil.Error:
                continue
        return found

    def assert_none(self, seconds: float = 40) -> None:
        deadline = time.monotonic() + seconds * PATIENCE
        while (left := self.now() - self.before) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert not left, left


def kill(process: psutil.Process | subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
