"""Chance by name: each named draw has a stream of its own, so a new draw leaves the others alone."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from orchestration.sample.clock import Bools, Floats, Ints


@dataclass(frozen=True)
class Draws:
    """Named draws for a fixed number of slots.

    A draw is made for all slots and then read at some of them, so what one deal draws does not
    depend on which other deals are there: two companies with one seed differ only by their parameters.
    """

    seed: int
    slots: int

    def stream(self, name: str) -> np.random.Generator:
        """The generator of a name; the same seed and name give the same stream."""
        return np.random.default_rng([self.seed, crc32(name.encode())])

    def uniform(self, name: str, at: Ints) -> Floats:
        """Uniform draws in [0, 1), one for each slot in `at`."""
        return self.stream(name).random(self.slots)[at]

    def normal(self, name: str, at: Ints) -> Floats:
        """Standard normal draws, one for each slot in `at`."""
        return self.stream(name).standard_normal(self.slots)[at]

    def spread(self, name: str, at: Ints, sigma: float) -> Floats:
        """Lognormal factors with median 1, one for each slot in `at`."""
        return np.exp(sigma * self.normal(name, at))

    def turns(self, name: str, at: Ints, turn: Ints, kinds: int) -> Floats:
        """Uniform draws of a slot's turns (its visits, its changes), (kinds, rows); a row is a slot in `at`
        and the number of its turn."""
        rounds = int(turn.max(initial=0)) + 1
        return self.stream(name).random((rounds, self.slots, kinds))[turn, at].T

    def happens(self, name: str, at: Ints, chance: Floats | float) -> Bools:
        """True with the given chance, one for each slot in `at`."""
        return self.uniform(name, at) < chance


def pick(part: Floats, shares: Floats) -> Ints:
    """Codes drawn by uniform draws: shares is (choices,) or (rows, choices) and need not sum to 1."""
    edges = np.cumsum(np.atleast_2d(shares), axis=1)
    edges = edges / edges[:, -1:]
    return (part[:, None] >= edges[:, :-1]).sum(axis=1)
