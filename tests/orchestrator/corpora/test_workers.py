"""Work in several processes: the order, failures, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from orchestrator.corpora.workers import WorkerDied, in_order

ROOT = Path(__file__).parents[3]


def doubler(slow: int) -> Callable[[int], int]:
    def work(value: int) -> int:
        if value == slow:
            time.sleep(0.5)
        if value == -1:
            raise ValueError("minus one")
        if value == -2:
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * value

    return work


def test_answers_come_in_order_though_one_takes_longer() -> None:
    assert list(in_order(doubler, (0,), range(50), 2)) == list(range(0, 100, 2))


def test_values_are_taken_only_as_they_are_needed() -> None:
    taken = []

    def values() -> object:
        for value in range(1000):
            taken.append(value)
            yield value

    answers = in_order(doubler, (-9,), values(), 2)  # type: ignore[arg-type]
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert len(taken) <= 6


def test_an_exception_and_a_dead_worker_are_raised() -> None:
    with pytest.raises(ValueError, match="minus one"):
        list(in_order(doubler, (-9,), [1, 2, -1, 3], 2))
    with pytest.raises(WorkerDied, match="is there memory left"):
        list(in_order(doubler, (-9,), [1, -2, 3], 2))


def test_workers_end_when_their_parent_is_killed() -> None:
    code = (
        "import sys, time\nfrom orchestrator.corpora.workers import in_order\n"
        "from tests.orchestrator.corpora.test_workers import doubler\n"
        "def values():\n    for n in range(10**9):\n        yield 5\n"
        "for number, _ in enumerate(in_order(doubler, (-9,), values(), 2)):\n"
        "    if number == 5: print('going', flush=True)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "going\n"
    workers = psutil.Process(parent.pid).children(recursive=True)
    assert len(workers) >= 2
    parent.kill()
    parent.communicate()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []
