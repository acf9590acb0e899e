"""A board drawn for a terminal: the bar, what runs, what failed, what it cost."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.board import Board, Row, clock, cost

MOST_ROWS = 16  # of running trials shown; the rest is counted
STALE_SECONDS = 150.0  # parts come once a minute: later than this, something may be wrong


def picture(board: Board) -> RenderableType:
    """For rich to print, or to show live."""
    parts: list[RenderableType] = [headline(board), counts(board)]
    if board.running:
        parts.append(running(board))
    if board.said:
        parts.append(Text(board.said, style="dim"))
    return Group(*parts)


def headline(board: Board) -> Table:
    """Name, bar, trials, time left."""
    over = board.finished + sum(count for _, count in board.failed)
    left = "" if board.seconds_left is None or over == board.trials else f"about {clock(board.seconds_left)} left"
    line = Table.grid(padding=(0, 2))
    for _ in range(5):
        line.add_column(no_wrap=True)
    bar = ProgressBar(total=1.0, completed=board.fraction, width=32)
    line.add_row(
        Text(board.sweep, style="bold"), bar, f"{board.fraction:4.0%}", f"{over} of {board.trials} trials", left
    )
    return line


def counts(board: Board) -> Text:
    """Finished, failed with reasons, tried again, waiting; hours and price."""
    text = Text()
    text.append(f"{board.finished} finished", style="green")
    for kind, count in board.failed:
        text.append(f"  {count} {kind}", style="red")
    for kind, count in board.troubled:
        text.append(f"  {count} × {kind}, tried again", style="yellow")
    text.append(f"  {max(0, board.left)} to come  {cost(board)}")
    return text


def running(board: Board) -> Table:
    """A line for each trial that runs."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("trial", no_wrap=True)
    table.add_column("layers × width", no_wrap=True)
    for name in ("N", "step", "loss", "tokens/s"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("on", no_wrap=True)
    table.add_column("for", justify="right", no_wrap=True)
    for row in board.running[:MOST_ROWS]:
        stale = row.age is not None and row.age > STALE_SECONDS
        table.add_row(*cells(row), style="yellow" if stale else None)
    if len(board.running) > MOST_ROWS:
        table.add_row(f"and {len(board.running) - MOST_ROWS} more")
    return table


def cells(row: Row) -> list[str]:
    again = f" (attempt {row.attempt})" if row.attempt > 1 else ""
    silent = f", silent for {clock(row.age)}" if row.age is not None and row.age > STALE_SECONDS else ""
    return [
        row.trial_id + again,
        row.label,
        f"{row.params:.3g}",
        f"{row.step:,} of {row.last_step:,}",
        "–" if row.loss is None else f"{row.loss:.4f}",
        "–" if row.tokens_per_second is None else f"{row.tokens_per_second:,.0f}",
        row.device,
        clock(row.seconds) + silent,
    ]
