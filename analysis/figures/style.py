"""What all figures share: sizes, greys that print, marks that differ without colour, and how they are written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")
LINES: tuple[str | tuple[float, tuple[float, ...]], ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
RC: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "svg.hashsalt": "interplay",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}


@contextmanager
def styled() -> Iterator[None]:
    """The style, for as long as a figure is being made."""
    with matplotlib.rc_context(RC):
        yield


def shade(place: int, count: int) -> tuple[float, float, float]:
    """Of `count` ordered things: from dark to light, in lightness first (cividis), never so light as to vanish."""
    colour = matplotlib.colormaps["cividis"](0.85 * place / max(count - 1, 1))
    return float(colour[0]), float(colour[1]), float(colour[2])


def blank(width: float = 6.4, height: float = 4.2) -> Figure:
    """An empty figure, inches."""
    return Figure(figsize=(width, height), layout="constrained")


def label_params(axes: Axes, counting: str) -> None:
    """The size axis, saying what N counts."""
    axes.set_xscale("log")
    axes.set_xlabel(f"N, parameters ({counting})")


def plain_ticks(axis: Axis) -> None:
    """Numbers as people say them on a logarithmic axis of depths or widths."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0, 7.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FormatStrFormatter("%g"))


def write(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """NAME.svg and NAME.png (200 dots an inch) in the folder; the same bytes for the same figure."""
    folder.mkdir(parents=True, exist_ok=True)
    vector, raster = folder / f"{name}.svg", folder / f"{name}.png"
    with styled():
        figure.savefig(vector, metadata={"Date": None})
        figure.savefig(raster, dpi=200, metadata={"Software": None})
    return vector, raster
