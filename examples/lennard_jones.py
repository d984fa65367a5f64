"""The shape of a cluster of atoms: coordinates for which the Lennard-Jones energy is least.

    python examples/lennard_jones.py
    thalweg restarts examples/lennard_jones.py --coordinated --method basin_hopping --target -44.3267

Thirteen atoms settle as an icosahedron, -44.326801 in units of the depth of one pair (Cambridge Cluster Database). The
energy has more than a thousand local minima there. `basin_hopping` goes from one to the next by L-BFGS, which follows
the exact gradient of this function; coordinated restarts begin anew, or from what earlier runs have found, where a run
has found nothing better. `bench/coordinated.py` does so for clusters of 5 to 31 atoms.
"""

from numba import njit

from thalweg import restarts
from thalweg.kernels import Problem

ATOMS = 13
LEAST = -44.326801


@njit
def energy(x):
    """x (3 N,): the coordinates of one atom after the other, in units of the distance where a pair's energy is 0."""
    total = 0.0
    for i in range(0, len(x), 3):
        for j in range(0, i, 3):
            squared = (x[i] - x[j]) ** 2 + (x[i + 1] - x[j + 1]) ** 2 + (x[i + 2] - x[j + 2]) ** 2
            attraction = 1.0 / squared**3
            total += 4.0 * (attraction * attraction - attraction)
    return total


def box(atoms):
    """A cube with room for a cluster in any position."""
    half = atoms ** (1 / 3)
    return [(-half, half)] * (3 * atoms)


icosahedron = Problem(fun=energy, bounds=box(ATOMS))


def solve(atoms, least, seed, **settings):
    """Restarts until the published energy is reached."""
    settings = {"method": "basin_hopping", "coordinated": True, "target": least + 1e-5, "seed": seed} | settings
    return restarts(energy, box(atoms), **settings)


if __name__ == "__main__":
    found = solve(ATOMS, LEAST, seed=1)
    print(f"{ATOMS} atoms: {found.fun:.6f} after {found.nfev} evaluations, published {LEAST}")
    print(found.x.reshape(-1, 3).round(4))
