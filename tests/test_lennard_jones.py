"""The example of the clusters: published energies by coordinated restarts of basin hopping, with exact gradients."""

from pathlib import Path

import numpy as np
import pytest

from .by_path import load_file

example = load_file(Path(__file__).parents[1] / "examples" / "lennard_jones.py")
PUBLISHED = {5: -9.103852, 7: -16.505384, 13: -44.326801}  # Cambridge Cluster Database


def distances(x):
    atoms = x.reshape(-1, 3)
    return np.linalg.norm(atoms[:, None] - atoms, axis=2)[np.triu_indices(len(atoms), 1)]


def test_energy():
    x = np.random.default_rng(1).uniform(-2, 2, 21)
    r = distances(x)
    assert example.energy(x) == pytest.approx(4 * (r**-12 - r**-6).sum(), rel=1e-12)
    assert example.energy(np.array([0, 0, 0, 0, 0, 2 ** (1 / 6)])) == pytest.approx(-1, rel=1e-12)


@pytest.mark.parametrize("atoms", PUBLISHED)
def test_published_energies(atoms):
    for seed in (1, 2, 3):
        found = example.solve(atoms, PUBLISHED[atoms], seed, runs=20, max_evals=20_000, threads=1)
        assert found.success and found.fun == pytest.approx(PUBLISHED[atoms], abs=1.1e-5)
        assert found.method == "basin_hopping" and found.nfev < 20_000


def test_the_icosahedron():
    """12 atoms around one, at one distance; without a target, to rounding of the published digits."""
    found = example.solve(13, example.LEAST, 4, runs=1, max_evals=5_000, target=None)
    assert found.fun == pytest.approx(example.LEAST, abs=1e-6)
    atoms = found.x.reshape(-1, 3)
    nearest = np.linalg.norm(atoms - atoms.mean(axis=0), axis=1).argmin()
    around = np.delete(np.linalg.norm(atoms - atoms[nearest], axis=1), nearest)
    assert around == pytest.approx(np.full(12, around.mean()), rel=1e-4)
