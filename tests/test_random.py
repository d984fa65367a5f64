"""The counter-based draws: known answers, uniformity, and independence across each of the five coordinates."""

import math

import numpy as np
import pytest
from scipy import stats

from thalweg.kernels.compile.jit import kernel
from thalweg.kernels.compile.substitution import plain
from thalweg.kernels.numbers import random
from thalweg.kernels.numbers.random import (
    bits,
    cauchy,
    distinct_integers,
    generation_key,
    integer,
    integer_except,
    integer_except_three,
    integer_except_two,
    normal,
    permutation,
    row_key,
    run_key,
    uniform,
)

ALPHA = 1e-4  # every test below draws the same numbers each time: none is flaky
COORDINATES = ("seed", "run", "generation", "individual", "slot")


@kernel
def draw(seed, run, generation, individual, slot):
    return bits(row_key(generation_key(run_key(seed, run), generation), individual), slot)


@kernel
def draw_many(seed, run, generation, individual, slot, out):
    for i in range(out.size):
        out[i] = draw(seed[i], run[i], generation[i], individual[i], slot[i])


@kernel
def fill(function, key, out):
    for i in range(out.size):
        out[i] = function(key, i)


def along(coordinate, count, others=(5, 2, 7, 11, 13), step=1):
    """64 bits each, one coordinate running and the others held."""
    columns = [np.full(count, value, dtype=np.int64) for value in others]
    columns[COORDINATES.index(coordinate)] = np.arange(count, dtype=np.int64) * step
    out = np.empty(count, dtype=np.uint64)
    draw_many(*columns, out)
    return out


def units(z):
    return (z >> np.uint64(12)).astype(np.float64) / 2**52


def filled(function, count=200_000, seed=1):
    out = np.empty(count)
    fill(function, np.uint64(run_key(seed, 0)), out)
    return out


# --- known answers -----------------------------------------------------------------------------------------------

MASK = 2**64 - 1


def oracle_mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def oracle(seed, run, generation, individual, slot):
    """The same in Python's own integers."""
    gamma = 0x9E3779B97F4A7C15
    key = oracle_mix(oracle_mix((seed + gamma) & MASK) ^ ((run * 0xD1342543DE82EF95 + gamma) & MASK))
    key = oracle_mix(key ^ ((generation * 0xAF251AF3B0F025B5 + gamma) & MASK))
    key = oracle_mix(key ^ ((individual * 0xF1357AEA2E62A9C5 + gamma) & MASK))
    return oracle_mix((key + (slot + 1) * gamma) & MASK)


CASES = [(0, 0, 0, 0, 0), (1, 0, 0, 0, 0), (5, 2, 7, 11, 13), (2**63 - 1, 10**6, 10**9, 10**6, 10**4)]


def test_splitmix64_reference():
    """The published first outputs of SplitMix64 from state 0."""
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [int(bits(np.uint64(0), k)) for k in range(3)] == expected


@pytest.mark.parametrize("case", CASES)
def test_the_bits_of_a_big_integer_oracle(case):
    assert int(draw(*case)) & MASK == oracle(*case)
    key = np.uint64(run_key(*case[:2]))  # what a kernel returns to Python is an int
    key = np.uint64(row_key(np.uint64(generation_key(key, case[2])), case[3]))
    assert uniform(key, case[4]) == (oracle(*case) >> 12) / 2**52


KNOWN = ["6839e4eb0a30a88f", "53f56fd408a5e387", "566fc934aee900be", "c32118d6af671335"]


def test_known_answers():
    """These stay: a change of them changes every answer of the engine."""
    assert [f"{int(draw(*case)) & MASK:016x}" for case in CASES] == KNOWN


def test_compiled_and_plain_python_agree_to_the_bit():
    with np.errstate(over="ignore"):
        for case in CASES:
            key = np.uint64(run_key(case[0], case[1]))
            assert plain(run_key)(case[0], case[1]) == key
            for function in (uniform, normal, cauchy):
                assert plain(function)(key, case[4]) == function(key, case[4])
            assert plain(integer)(key, case[4], 1000) == integer(key, case[4], 1000)


# --- uniformity and independence ---------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1, 2**20])
@pytest.mark.parametrize("coordinate", COORDINATES)
def test_uniform_along_each_coordinate(coordinate, step):
    z = along(coordinate, 200_000, step=step)
    u = units(z)
    assert stats.kstest(u, "uniform").pvalue > ALPHA
    cells = np.bincount((z >> np.uint64(54)).astype(np.int64), minlength=1024)  # the upper ten bits
    low = np.bincount((z & np.uint64(1023)).astype(np.int64), minlength=1024)  # and the lower
    assert stats.chisquare(cells).pvalue > ALPHA and stats.chisquare(low).pvalue > ALPHA
    for lag in (1, 2, 3, 7, 64):
        assert abs(np.corrcoef(u[:-lag], u[lag:])[0, 1]) < 4.5 / math.sqrt(len(u))
    pairs = (u[0::2] * 32).astype(int) * 32 + (u[1::2] * 32).astype(int)
    assert stats.chisquare(np.bincount(pairs, minlength=1024)).pvalue > ALPHA
    ones = np.array([((z >> np.uint64(b)) & np.uint64(1)).mean() for b in range(64)])
    assert np.abs(ones - 0.5).max() < 5 * 0.5 / math.sqrt(len(z))


@pytest.mark.parametrize("coordinate", COORDINATES)
def test_streams_at_neighbouring_coordinates_are_independent(coordinate):
    """Rows of draws over slots (or, for slots, over individuals), at neighbouring values of the coordinate."""
    inner = "slot" if coordinate != "slot" else "individual"
    position = COORDINATES.index(coordinate)
    streams = []
    for value in range(8):
        others = [5, 2, 7, 11, 13]
        others[position] = value
        streams.append(units(along(inner, 20_000, others)))
    correlation = np.corrcoef(streams) - np.eye(8)
    assert np.abs(correlation).max() < 4.5 / math.sqrt(20_000)


@pytest.mark.parametrize("coordinate", COORDINATES)
def test_each_bit_of_a_coordinate_flips_half_of_the_bits(coordinate):
    position, generator = COORDINATES.index(coordinate), np.random.default_rng(0)
    bases = generator.integers(0, 2**31, (2000, 5))
    for bit in (0, 1, 5, 13, 30):
        flipped = bases.copy()
        flipped[:, position] ^= 1 << bit
        both = np.empty((2, 2000), dtype=np.uint64)
        for out, columns in zip(both, (bases, flipped)):
            draw_many(*columns.T.copy(), out)
        changed = both[0] ^ both[1]
        share = np.array([((changed >> np.uint64(b)) & np.uint64(1)).mean() for b in range(64)])
        assert np.abs(share - 0.5).max() < 0.06


def test_coordinates_do_not_stand_for_each_other():
    values = range(12)
    found = {
        int(draw(a, b, c, d, e)) for a in (0, 1, 2) for b in values for c in values for d in values for e in values
    }
    assert len(found) == 3 * 12**4


@pytest.mark.parametrize("coordinate", COORDINATES)
def test_birthday_spacings(coordinate):
    """Marsaglia: repeated spacings of m birthdays in n days are Poisson with mean m**3 / (4 n)."""
    m, n = 4096, 2**32
    z = along(coordinate, 64 * m)
    for shift in (0, 32):  # lower and upper half of the bits
        days = ((z >> np.uint64(shift)) & np.uint64(n - 1)).astype(np.int64).reshape(64, m)
        spacings = np.sort(np.diff(np.sort(days, axis=1), axis=1), axis=1)
        repeated = int((np.diff(spacings, axis=1) == 0).sum())
        mean = 64 * m**3 / (4 * n)
        assert stats.poisson.cdf(repeated, mean) > ALPHA and stats.poisson.sf(repeated - 1, mean) > ALPHA


# --- distributions -----------------------------------------------------------------------------------------------


def test_normal():
    z = filled(normal)
    assert stats.kstest(z, "norm").pvalue > ALPHA
    assert abs(stats.kurtosis(z)) < 0.06 and np.isfinite(z).all()
    assert abs(np.corrcoef(z[:-1], z[1:])[0, 1]) < 4.5 / math.sqrt(len(z))


def test_cauchy():
    z = filled(cauchy)
    assert stats.kstest(z, "cauchy").pvalue > ALPHA and np.isfinite(z).all()


def test_unit_interval():
    assert random.unit(np.uint64(0)) == 0.0
    assert random.unit(np.uint64(MASK)) == 1.0 - 2.0**-52


@kernel
def many_integers(n, a, b, c, kind, out):
    key = run_key(3, 4)
    for i in range(out.size):
        if kind == 0:
            out[i] = integer(key, i, n)
        elif kind == 1:
            out[i] = integer_except(key, i, n, a)
        elif kind == 2:
            out[i] = integer_except_two(key, i, n, a, b)
        else:
            out[i] = integer_except_three(key, i, n, a, b, c)


@pytest.mark.parametrize("excluded", [(), (0,), (9,), (4,), (0, 9), (5, 4), (9, 0, 4), (0, 1, 2), (7, 9, 8)])
def test_integers_without_some(excluded):
    out = np.empty(50_000, dtype=np.int64)
    many_integers(10, *(excluded + (0, 0, 0))[:3], len(excluded), out)
    counts = np.bincount(out, minlength=10)
    allowed = [k for k in range(10) if k not in excluded]
    assert len(counts) == 10 and counts[list(excluded)].sum() == 0
    assert stats.chisquare(counts[allowed]).pvalue > ALPHA


def test_the_smallest_ranges():
    key = np.uint64(run_key(0, 0))
    for slot in range(100):
        assert integer(key, slot, 1) == 0
        assert integer_except(key, slot, 2, 1) == 0
        assert integer_except_two(key, slot, 3, 2, 0) == 1
        assert integer_except_three(key, slot, 4, 3, 0, 1) == 2
        assert 0 <= integer(key, slot, 2**31) < 2**31


@kernel
def many_permutations(out):
    key = run_key(1, 2)
    for i in range(out.shape[0]):
        permutation(row_key(key, i), 0, out[i])


@kernel
def many_samples(n, out):
    key = run_key(1, 3)
    for i in range(out.shape[0]):
        distinct_integers(row_key(key, i), 0, n, out[i])


def test_permutations_are_uniform():
    out = np.empty((48_000, 4), dtype=np.int64)
    many_permutations(out)
    assert (np.sort(out, axis=1) == np.arange(4)).all()
    _, counts = np.unique(out, axis=0, return_counts=True)
    assert len(counts) == 24 and stats.chisquare(counts).pvalue > ALPHA


@pytest.mark.parametrize(("n", "k"), [(5, 3), (4, 4), (6, 1)])
def test_distinct_integers_are_uniform(n, k):
    out = np.empty((60_000, k), dtype=np.int64)
    many_samples(n, out)
    assert all(len(set(row)) == k for row in out[:1000].tolist())
    _, counts = np.unique(out, axis=0, return_counts=True)
    assert len(counts) == math.perm(n, k) and stats.chisquare(counts).pvalue > ALPHA
