"""Laws of the transition: one width for each depth, at which a network of that size is best at that depth.

A law says how the logarithm of that width depends on the depth, linearly in its constants θ:

    ln d*(L) = offset(ln L) + basis(ln L)·θ

With N = k·L·d² this is also a size for each depth, ln N = ln k + ln L + 2·ln d*(L), and, turned round, a best
depth L*(N) for each size, which is what is fitted and asked for. Where d*(L) rises with L the inverse is unique.
"""

from abc import ABC, abstractmethod
from dataclasses import fields
from typing import ClassVar, Self

import numpy as np

from analysis.arrays import Array
from analysis.law import Card


class TransitionLaw(ABC):
    """Abstract. A final law is a frozen dataclass whose fields are its constants, in the order of `basis`.

    lower, upper   what the constants may be, in the same order
    """

    __slots__ = ()

    card: ClassVar[Card]
    lower: ClassVar[tuple[float, ...]]
    upper: ClassVar[tuple[float, ...]]

    @staticmethod
    @abstractmethod
    def basis(log_depth: Array) -> Array:
        """Derivatives of ln d* by the constants, log_depth.shape + (K,)."""

    @staticmethod
    @abstractmethod
    def offset(log_depth: Array) -> Array:
        """The part of ln d* that has no constant, log_depth.shape."""

    @staticmethod
    @abstractmethod
    def slope(theta: Array, log_depth: Array) -> Array:
        """d ln d* / d ln L at θ; theta (R, K), log_depth (R, N), result (R, N)."""

    @staticmethod
    @abstractmethod
    def solve(theta: Array, log_size: Array) -> Array:
        """ln L* at ln(N/k); theta (R, K), log_size (N,), result (R, N)."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Of the constants, in order."""
        return tuple(field.name for field in fields(cls))  # type: ignore[arg-type]  # final laws are dataclasses

    @classmethod
    def of(cls, theta: Array) -> Self:
        """The law with these constants, (K,)."""
        return cls(**dict(zip(cls.names(), map(float, theta), strict=True)))

    @property
    def values(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in self.names()}

    @property
    def theta(self) -> Array:
        """The constants, (K,)."""
        return np.array(list(self.values.values()), float)

    @classmethod
    def log_width(cls, theta: Array, log_depth: Array) -> Array:
        """ln d* at a depth, log_depth.shape."""
        return np.asarray(cls.offset(log_depth) + cls.basis(log_depth) @ theta)

    @classmethod
    def curve(cls, theta: Array, log_size: Array) -> tuple[Array, Array]:
        """ln L* (R, N) and its derivatives by the constants (R, N, K), at theta (R, K) and ln(N/k) (N,).

        From ln(N/k) = l + 2·ln d*(l; θ) at fixed N: dl/dθ = −2·basis(l) / (1 + 2·slope(l)).
        """
        log_depth = cls.solve(theta, log_size)
        steep = 1 + 2 * cls.slope(theta, log_depth)
        return log_depth, -2 * cls.basis(log_depth) / steep[..., None]

    @classmethod
    def start(cls, log_size: Array, log_depth: Array) -> Array:
        """θ by least squares through points (ln(N/k), ln L*), kept inside the bounds; (K,)."""
        target = (log_size - log_depth) / 2 - cls.offset(log_depth)
        theta, *_ = np.linalg.lstsq(cls.basis(log_depth), target, rcond=None)
        return np.clip(theta, cls.lower, cls.upper)

    def depth(self, params: float | Array, block_coefficient: float = 12.0) -> Array:
        """L*, of the shape of `params` (N)."""
        size = np.asarray(params, float) / block_coefficient
        return np.asarray(np.exp(self.solve(self.theta[None], np.log(size).ravel())[0])).reshape(size.shape)

    def depth_gradient(self, params: float | Array, block_coefficient: float = 12.0) -> Array:
        """Derivatives of ln L* by the constants, params.shape + (K,)."""
        size = np.asarray(params, float) / block_coefficient
        gradient = self.curve(self.theta[None], np.log(size).ravel())[1][0]
        return np.asarray(gradient.reshape(*size.shape, gradient.shape[-1]))

    def width(self, depth: float | Array) -> Array:
        """d*, the width at which `depth` is the best depth."""
        return np.asarray(np.exp(self.log_width(self.theta, np.log(np.asarray(depth, float)))))

    def params(self, depth: float | Array, block_coefficient: float = 12.0) -> Array:
        """N at which `depth` is the best depth."""
        return np.asarray(block_coefficient * np.asarray(depth, float) * self.width(depth) ** 2)
