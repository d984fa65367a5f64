"""Counter-based random numbers: a draw is a pure function of (seed, run, generation, individual, slot).

Four of the five coordinates are folded into a key, one mix each; the last mix turns (key, slot) into 64 bits, as
SplitMix64 does with its state (Steele, Lea and Flood, OOPSLA 2014), with the finaliser of Stafford's variant 13. There
is no state, so any thread draws any number at any time, and a loop over slots vectorises.

    key = row_key(generation_key(run_key(seed, run), generation), individual)
    u = uniform(key, slot)

Noise for an objective, from a seed in its `args`: `normal(point_key(seed, x), 0)`.

The functions that take an array take one slot per entry, beginning with `slot`.
"""

import numpy as np

from ..compile.jit import inlined, kernel
from .elementary import cos, log, tan

GAMMA = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd: the step of SplitMix64
MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)
RUN, GENERATION, INDIVIDUAL, PAIR, POINT = (  # so that swapping two coordinates gives another key
    np.uint64(0xD1342543DE82EF95),
    np.uint64(0xAF251AF3B0F025B5),
    np.uint64(0xF1357AEA2E62A9C5),
    np.uint64(0x2545F4914F6CDD1D),
    np.uint64(0x9FB21C651E98DF25),
)
S27, S30, S31, S12 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(12)
MINUS_ZERO = np.uint64(1 << 63)  # its bits
ONE_TO_TWO = np.uint64(0x3FF0000000000000)  # the exponent bits of the doubles in [1, 2)
TWO_PI = 6.283185307179586
PI = 3.141592653589793


@inlined
def mix(z):
    """A bijection of 64 bits in which each input bit flips each output bit with probability one half."""
    z = (z ^ (z >> S30)) * MULTIPLIER_1
    z = (z ^ (z >> S27)) * MULTIPLIER_2
    return z ^ (z >> S31)


@inlined
def run_key(seed, run):
    return mix(mix(np.uint64(seed) + GAMMA) ^ (np.uint64(run) * RUN + GAMMA))


@inlined
def generation_key(key, generation):
    return mix(np.uint64(key) ^ (np.uint64(generation) * GENERATION + GAMMA))


@inlined
def row_key(key, individual):
    return mix(np.uint64(key) ^ (np.uint64(individual) * INDIVIDUAL + GAMMA))


@inlined
def point_key(seed, x):
    """A key for the noise of an objective at x (D,): it hangs on (seed, x) alone, so that a run stays repeatable.

    The same point has the same noise; slots 0, 1, 2 ... give further draws there.
    """
    key = mix(np.uint64(seed) + GAMMA)
    for v in x:
        pattern = np.float64(v).view(np.uint64)
        if pattern == MINUS_ZERO:  # equal numbers, equal noise
            pattern = np.uint64(0)
        key = mix(key ^ (pattern * POINT + GAMMA))
    return key >> np.uint64(1)  # 63 bits: Numba takes whole numbers from Python as signed ones


@inlined
def bits(key, slot):
    """64 random bits."""
    return mix(np.uint64(key) + (np.uint64(slot) + np.uint64(1)) * GAMMA)


@inlined
def unit(z):
    """The upper 52 of 64 bits as a double in [0, 1). No conversion of integers: AVX2 has none for 64 bits."""
    return np.uint64((z >> S12) | ONE_TO_TWO).view(np.float64) - 1.0


@inlined
def uniform(key, slot):
    """Uniform in [0, 1), a multiple of 2**-52."""
    return unit(bits(key, slot))


@inlined
def normal(key, slot):
    """Standard normal, by Box and Muller (1958); the second uniform comes from the same slot."""
    z = bits(key, slot)
    radius = np.sqrt(-2.0 * log(1.0 - unit(z)))
    return radius * cos(TWO_PI * unit(mix(z ^ PAIR)))


@inlined
def cauchy(key, slot):
    """Standard Cauchy, by inversion."""
    return tan(PI * (uniform(key, slot) - 0.5))


@inlined
def integer(key, slot, n):
    """Uniform in 0..n-1, for n up to 2**31 (the bias is below n / 2**52)."""
    return int(uniform(key, slot) * n)


@inlined
def integer_except(key, slot, n, a):
    """Uniform in 0..n-1 without a."""
    r = integer(key, slot, n - 1)
    return r + 1 if r >= a else r


@inlined
def integer_except_two(key, slot, n, a, b):
    """Uniform in 0..n-1 without a and b, which differ."""
    low, high = min(a, b), max(a, b)
    r = integer(key, slot, n - 2)
    r = r + 1 if r >= low else r
    return r + 1 if r >= high else r


@inlined
def integer_except_three(key, slot, n, a, b, c):
    """Uniform in 0..n-1 without a, b and c, which differ."""
    low, high = min(a, b, c), max(a, b, c)
    middle = a + b + c - low - high
    r = integer(key, slot, n - 3)
    r = r + 1 if r >= low else r
    r = r + 1 if r >= middle else r
    return r + 1 if r >= high else r


@kernel
def distinct_integers(key, slot, n, out):
    """Fill `out` with different integers of 0..n-1 in random order (Floyd's sampling); costs out.size**2 compares."""
    k = out.size
    for j in range(k):
        top = n - k + j
        r = integer(key, slot + j, top + 1)
        taken = False
        for earlier in range(j):
            taken = taken or out[earlier] == r
        out[j] = top if taken else r
    permute(key, slot + k, out)


@kernel
def permute(key, slot, out):
    """Put the entries of `out` into random order (Fisher and Yates); uses out.size - 1 slots."""
    for j in range(out.size - 1, 0, -1):
        r = integer(key, slot + j - 1, j + 1)
        kept = out[j]
        out[j] = out[r]
        out[r] = kept


@kernel
def permutation(key, slot, out):
    """Fill `out` with 0..out.size-1 in random order."""
    for j in range(out.size):
        out[j] = j
    permute(key, slot, out)
