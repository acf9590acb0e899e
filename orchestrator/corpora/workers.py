"""A function over many values in processes of its own, answers in the order of the values.

multiprocessing's own pools leave their processes behind when the parent is killed: each of them holds the writing
end of the queue that it waits at. Here a worker has one pipe, whose other end only the parent holds, so that it
ends when the parent does, however that was.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")


class WorkerDied(Exception):
    """A worker process went away, as one does when the machine has no memory left."""


def in_order(
    make: Callable[..., Callable[[A], B]], given: tuple[Any, ...], values: Iterable[A], processes: int
) -> Iterator[B]:
    """make(*given)(value) for every value, in order; `make` is called once in each of `processes` processes.

    At most three values a process are held at a time. Raises what the function raises, and WorkerDied.
    """
    context = multiprocessing.get_context("spawn")
    free: queue.SimpleQueue[Connection] = queue.SimpleQueue()
    started = []
    try:
        for _ in range(processes):
            here, there = context.Pipe()
            process = context.Process(target=serve, args=(there, make, given), daemon=True)
            process.start()
            there.close()
            started.append((process, here))
            free.put(here)

        def ask(value: A) -> B:
            pipe = free.get()
            try:
                pipe.send(value)
                good, answer = pipe.recv()
            except (EOFError, OSError):
                raise WorkerDied("a process that tokenises died; is there memory left?") from None
            finally:
                free.put(pipe)
            if not good:
                raise answer
            result: B = answer
            return result

        with ThreadPoolExecutor(processes) as threads:
            window: deque[Future[B]] = deque()
            try:
                for value in values:
                    window.append(threads.submit(ask, value))
                    if len(window) > 2 * processes:
                        yield window.popleft().result()
                while window:
                    yield window.popleft().result()
            finally:
                for future in window:
                    future.cancel()
    finally:
        for process, pipe in started:
            pipe.close()
            process.terminate()
        for process, _ in started:
            process.join()


def serve(pipe: Connection, make: Callable[..., Callable[[A], B]], given: tuple[Any, ...]) -> None:
    """A worker's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what a Ctrl-C means
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one process a core is parallel enough
    work = make(*given)
    while True:
        try:
            value = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer = (True, work(value))
        except Exception as error:
            answer = (False, error)  # type: ignore[assignment]
        try:
            pipe.send(answer)
        except OSError:
            return
