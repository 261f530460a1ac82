"""Repeatable randomness: a number depends on its stream and its key only, never on what was drawn before it.

So a merchant can be built again with later days and every earlier object stays as it was.
"""

from __future__ import annotations

import hashlib

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mixed(words: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser (Steele, Lea and Flood 2014): a bijection of 64-bit words that looks random."""
    words = words + GOLDEN
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


class Chance:
    """A family of independent random streams under one name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def bits(self, stream: str, keys: np.ndarray) -> np.ndarray:
        """63 random bits for each of `keys` as a non-negative int64."""
        seed = hashlib.blake2b(f"{self.name}/{stream}".encode(), digest_size=8).digest()
        words = _mixed(np.asarray(keys, dtype=np.int64).view(np.uint64) ^ np.uint64(int.from_bytes(seed, "big")))
        return (words >> np.uint64(1)).view(np.int64)

    def uniform(self, stream: str, keys: np.ndarray) -> np.ndarray:
        """A number in [0, 1) for each of `keys`."""
        return (self.bits(stream, keys) >> 10) * 2.0**-53

    def choice(self, stream: str, keys: np.ndarray, weights: tuple[float, ...]) -> np.ndarray:
        """An index into `weights` for each of `keys`, drawn in proportion to the weights."""
        edges = np.cumsum(np.array(weights))
        return np.searchsorted(edges / edges[-1], self.uniform(stream, keys), side="right").clip(max=len(weights) - 1)

    def draw(self, stream: str, key: int) -> float:
        """The number in [0, 1) of a single key."""
        return float(self.uniform(stream, np.array([key], dtype=np.int64))[0])


def quantile(curve: tuple[tuple[float, float], ...], u: np.ndarray | float) -> np.ndarray:
    """The inverse of a piecewise linear distribution given as (probability, value) points from 0 to 1."""
    points = np.array(curve)
    return np.interp(u, points[:, 0], points[:, 1])
