"""Linear algebra of small dense matrices in plain loops: sums of rows, Cholesky, and the symmetric eigenproblem.

A strict sum of doubles waits for each addition before the next. `dot` keeps eight running sums; all else is written as
sums of rows, in which each entry is a sum of its own, so that the vector unit does several of them at once.

The eigenproblem: Householder's reduction to a tridiagonal matrix, then QL with implicit shifts (Martin, Reinsch and
Wilkinson, Numer. Math. 11 (1968) 181; Dubrulle, Martin and Wilkinson, Numer. Math. 12 (1968) 377). Eigenvectors are
kept as rows, so that a rotation goes along two rows of memory.
"""

import numpy as np

from ..calling.arguments import row
from ..compile.jit import inlined, part
from .sums import dots

EPSILON = 2.220446049250313e-16
NOTHING = 1e-140  # beside a matrix whose largest entry is 1; squares of smaller numbers lose digits
SWEEPS = 60  # of an eigenvalue; two are usual


@part
def dot(a, b, n):
    """The sum of a_j b_j over j < n, in eight running sums."""
    return dots((a,), (b,), n)[0]


@inlined
def two_dots(a, b, c, n):
    """The products of a with b and with c, in one pass."""
    return dots((a,), (b, c), n)


@inlined
def four_dots(a, b, c, d, n):
    """a c, a d, b c, b d, in one pass."""
    return dots((a, b), (c, d), n)


@part
def sum_rows(factor, matrix, n, out):
    """out_j = the sum of factor_k matrix_kj over k < n, for j < n, four rows at a time."""
    for j in range(n):
        out[j] = 0.0
    whole = n - n % 4
    for k in range(0, whole, 4):
        a, b, c, d = factor[k], factor[k + 1], factor[k + 2], factor[k + 3]
        for j in range(n):
            first = a * matrix[k, j] + b * matrix[k + 1, j]
            out[j] += first + (c * matrix[k + 2, j] + d * matrix[k + 3, j])
    for k in range(whole, n):
        a = factor[k]
        for j in range(n):
            out[j] += a * matrix[k, j]


@inlined
def on_diagonal(matrix, j):
    """Entry (j, j); a matrix of one row is a diagonal."""
    return matrix[min(j, matrix.shape[0] - 1), j]


@part
def all_finite(matrix):
    """Whether no entry is NaN or infinite."""
    finite = True
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            finite = finite and abs(matrix[i, j]) < np.inf
    return finite


@inlined
def cholesky(a, n):
    """The lower triangle of a, n rows of it, becomes L with L L' = a. False: a is not positive definite."""
    for j in range(n):
        pivot = a[j, j] - dot(row(a, j), row(a, j), j)
        if not EPSILON * abs(a[j, j]) < pivot < np.inf:
            return False
        a[j, j] = np.sqrt(pivot)
        for i in range(j + 1, n):
            a[i, j] = (a[i, j] - dot(row(a, i), row(a, j), j)) / a[j, j]
    return True


@inlined
def solve_lower(a, b, n):
    """b becomes the solution of L b' = b, L being the lower triangle of a."""
    for i in range(n):
        b[i] = (b[i] - dot(row(a, i), b, i)) / a[i, i]


@inlined
def solve_lower_transposed(a, b, n):
    """b becomes the solution of L' b' = b, L being the lower triangle of a."""
    for i in range(n - 1, -1, -1):
        b[i] /= a[i, i]
        for j in range(i):
            b[j] -= a[i, j] * b[i]


@inlined
def eigensystem(matrix, values, vectors, work):
    """values (n,) and vectors (n, n), one a row, of a symmetric matrix (n, n) whose lower triangle is read.

    work (n + 3, n) is overwritten. False: there is a NaN or an infinity in the matrix, or an eigenvalue has not come.
    """
    n, largest, finite = values.size, 0.0, True
    for i in range(n):
        for j in range(i + 1):
            size = abs(matrix[i, j])
            finite, largest = finite and size < np.inf, max(largest, size)
    if not finite:
        return False
    scale = largest if largest > 0.0 else 1.0
    for i in range(n):
        for j in range(i + 1):
            work[i, j] = work[j, i] = matrix[i, j] / scale
    off, norms, scratch = row(work, n), row(work, n + 1), row(work, n + 2)
    tridiagonalise(work, off, norms, scratch, n)
    for i in range(n):
        values[i] = work[i, i]
    multiply_reflections(work, norms, scratch, vectors)
    found = diagonalise(values, off, vectors)
    for i in range(n):
        values[i] *= scale
    return found


@inlined
def tridiagonalise(a, off, norms, scratch, n):
    """Reduce a, both triangles of it, by reflections I - v v'/h, the last row first.

    Then a_ii is the diagonal, off_i (i > 0) the entry left of it, row i of a holds its v, norms_i its h; 0: none.
    """
    for i in range(n - 1, 0, -1):
        v = row(a, i)
        beside, rest = v[i - 1], dot(v, v, i - 1)
        if rest <= NOTHING * NOTHING:
            off[i], norms[i] = beside, 0.0
            continue
        length = np.sqrt(rest + beside * beside)
        off[i] = -length if beside > 0.0 else length
        h = rest + beside * beside - beside * off[i]
        v[i - 1] = beside - off[i]
        norms[i] = h
        sum_rows(v, a, i, scratch)  # A v
        half = dot(v, scratch, i) / (2.0 * h)
        for j in range(i):
            scratch[j] = (scratch[j] - half * v[j]) / h
        for k in range(i):
            left, right = v[k], scratch[k]
            for j in range(i):
                a[k, j] -= left * scratch[j] + right * v[j]


@inlined
def multiply_reflections(a, norms, scratch, vectors):
    """vectors: the transposed product of the reflections that `tridiagonalise` left in a."""
    n = vectors.shape[0]
    for i in range(n):
        for j in range(n):
            vectors[i, j] = 1.0 if i == j else 0.0
    for i in range(2, n):
        h = norms[i]
        if h > 0.0:
            v = row(a, i)
            sum_rows(v, vectors, i, scratch)
            for k in range(i):
                factor = v[k] / h
                for j in range(i):
                    vectors[k, j] -= factor * scratch[j]
    for i in range(n):
        for j in range(i):
            vectors[i, j], vectors[j, i] = vectors[j, i], vectors[i, j]


@inlined
def diagonalise(diagonal, off, vectors):
    """QL with implicit shifts: diagonal becomes the eigenvalues, the rows of vectors are rotated along."""
    n = diagonal.size
    for i in range(1, n):
        off[i - 1] = off[i]
    off[n - 1] = 0.0
    for first in range(n):
        sweeps, last = 0, unreduced(diagonal, off, first)
        while last > first:
            if sweeps == SWEEPS:
                return False
            sweep(diagonal, off, vectors, first, last)
            sweeps += 1
            last = unreduced(diagonal, off, first)
    return True


@inlined
def unreduced(diagonal, off, first):
    """The end of the block that begins at `first`: where an entry beside the diagonal is as good as 0."""
    last = first
    while last < diagonal.size - 1:
        if abs(off[last]) <= max(EPSILON * (abs(diagonal[last]) + abs(diagonal[last + 1])), NOTHING):
            break
        last += 1
    return last


@inlined
def sweep(diagonal, off, vectors, first, last):
    """One step of QL on the block [first, last], with Wilkinson's shift."""
    slope = (diagonal[first + 1] - diagonal[first]) / (2.0 * off[first])
    root = np.sqrt(slope * slope + 1.0)
    g = diagonal[last] - diagonal[first] + off[first] / (slope + (root if slope >= 0.0 else -root))
    sine, cosine, shifted = 1.0, 1.0, 0.0
    for i in range(last - 1, first - 1, -1):
        f, b = sine * off[i], cosine * off[i]
        root = np.sqrt(f * f + g * g)
        if root <= NOTHING:  # the block falls apart
            diagonal[i + 1] -= shifted
            off[i + 1] = off[last] = 0.0
            return
        off[i + 1] = root
        sine, cosine = f / root, g / root
        g = diagonal[i + 1] - shifted
        root = (diagonal[i] - g) * sine + 2.0 * cosine * b
        shifted = sine * root
        diagonal[i + 1] = g + shifted
        g = cosine * root - b
        for k in range(vectors.shape[1]):
            upper, lower = vectors[i, k], vectors[i + 1, k]
            vectors[i + 1, k] = sine * upper + cosine * lower
            vectors[i, k] = cosine * upper - sine * lower
    diagonal[first] -= shifted
    off[first] = g
    off[last] = 0.0
