"""A simplex of n + 1 points in n dimensions, its vertices kept in order.

simplex (n + 1, n), f (n + 1,)   vertices and their values, in any order
order   (n + 1,)                 the vertices from best to worst, equal values by age (Lagarias et al., 1998)
"""

from ..compile.jit import inlined, part


@inlined
def centroid_of_best(simplex, order, centroid):
    """centroid (n,): the mean of all vertices but the worst."""
    n = centroid.size
    for j in range(n):
        centroid[j] = 0.0
    for k in range(n):
        row = order[k]
        for j in range(n):
            centroid[j] += simplex[row, j]
    for j in range(n):
        centroid[j] /= n


@inlined
def step_from_worst(simplex, worst, centroid, step, lower, upper, point):
    """point (n,) = centroid + step (centroid - worst), clipped to the box."""
    for j in range(centroid.size):
        value = (1.0 + step) * centroid[j] - step * simplex[worst, j]
        point[j] = min(max(value, lower[j]), upper[j])


@inlined
def replace_worst(simplex, f, order, point, value):
    """The worst vertex becomes `point`; it stands behind those of equal value."""
    n = point.size
    row, k = order[n], n
    for j in range(n):
        simplex[row, j] = point[j]
    f[row] = value
    while k > 0 and value < f[order[k - 1]]:
        order[k] = order[k - 1]
        k -= 1
    order[k] = row


@part
def sort_vertices(f, order):
    """Order the vertices anew, by insertion: stable."""
    for i in range(1, order.size):
        row, k = order[i], i
        while k > 0 and f[row] < f[order[k - 1]]:
            order[k] = order[k - 1]
            k -= 1
        order[k] = row


@inlined
def is_small(simplex, order, tolerance):
    """Whether every vertex lies within tolerance (1 + |x_j|) of the best one x, in each coordinate j."""
    best, small = order[0], True
    for k in range(1, order.size):
        for j in range(simplex.shape[1]):
            distance = abs(simplex[order[k], j] - simplex[best, j])
            small = small and distance <= tolerance * (1.0 + abs(simplex[best, j]))
    return small
