"""The engine's random numbers in plain Python: SplitMix64 (Steele, Lea and Flood 2014) over keys instead of a state."""

import math

ALL = 2**64 - 1
GAMMA, PAIR = 0x9E3779B97F4A7C15, 0x2545F4914F6CDD1D
RUN, GENERATION, ROW = 0xD1342543DE82EF95, 0xAF251AF3B0F025B5, 0xF1357AEA2E62A9C5


def mix(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & ALL
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & ALL
    return z ^ (z >> 31)


class Draws:
    """The numbers of one generation of a run; each belongs to a row i and a slot, in whatever order it is asked for.

    A method without rows draws for the iteration as a whole: its row is None.
    """

    def __init__(self, seed, run, generation):
        key = mix(mix(seed + GAMMA & ALL) ^ (run * RUN + GAMMA & ALL))
        self.key = mix(key ^ (generation * GENERATION + GAMMA & ALL))

    def bits(self, i, slot):
        row = self.key if i is None else mix(self.key ^ (int(i) * ROW + GAMMA & ALL))
        return mix(row + (int(slot) + 1) * GAMMA & ALL)

    def uniform(self, i, slot):
        """In [0, 1)."""
        return (self.bits(i, slot) >> 12) / 2**52

    def uniforms(self, i, slot, n):
        return [self.uniform(i, slot + k) for k in range(n)]

    def normal(self, i, slot):
        """Box and Muller (1958)."""
        z = self.bits(i, slot)
        u, v = (z >> 12) / 2**52, (mix(z ^ PAIR) >> 12) / 2**52
        return math.sqrt(-2 * math.log(1 - u)) * math.cos(2 * math.pi * v)

    def cauchy(self, i, slot):
        return math.tan(math.pi * (self.uniform(i, slot) - 0.5))

    def integer(self, i, slot, n, without=()):
        """One of 0..n-1 without those of `without`."""
        candidates = [k for k in range(n) if k not in without]
        return candidates[int(self.uniform(i, slot) * len(candidates))]
