"""Every NumPy function that Numba documents: an objective that uses it has NumPy's own value.

NumPy's functions whose globals are another module's (np.ones, np.eye ...) were once rebuilt as if they were the user's,
and did not compile. Each expression stands in a function of its own; many functions make one objective, since each
objective takes its time to be compiled; only where one fails are they looked at one by one.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest

from thalweg.kernels import objective

X = np.array([0.3, 0.5, 0.7, 0.2])
BEFORE = """
    m = np.diag(x) + 1.0
    s = m @ m.T + np.eye(4)
    n = np.arange(4)
    c = x + 1j * x[::-1]
    g = np.array([0.3, np.nan, 0.7, 0.2])
"""
ONE_ARGUMENT = """
    negative positive absolute fabs rint sign conj exp exp2 log log2 log10 expm1 log1p sqrt square cbrt reciprocal
    sin cos
    tan arcsin arccos arctan sinh cosh tanh arcsinh arctanh deg2rad rad2deg degrees radians floor ceil trunc isfinite
    isinf
    isnan signbit spacing sinc nan_to_num cumsum cumprod sort flip flipud diff ediff1d unwrap ravel copy asarray
    ascontiguousarray asfortranarray asarray_chkfinite zeros_like ones_like real imag angle isreal iscomplex isposinf
    isneginf
    argsort nancumsum nancumprod atleast_1d atleast_2d atleast_3d transpose unique trim_zeros vander diagflat
    fliplr(m) rot90(m) tril(m) triu(m) diag(m) logical_not(x>0.4) invert(n) bitwise_not(n) argwhere(x>0.4)
    flatnonzero(x>0.4) conjugate(c) abs(c)
""".split()
TWO_ARGUMENTS = """
    add subtract multiply divide true_divide floor_divide mod remainder fmod power float_power maximum minimum fmax fmin
    arctan2 hypot copysign nextafter logaddexp logaddexp2 greater greater_equal less less_equal equal not_equal
    logical_and
    logical_or logical_xor divmod ldexp(x,n) bitwise_and(n,3) bitwise_or(n,3) bitwise_xor(n,3) left_shift(n,2)
    right_shift(n,1) gcd(n,6) lcm(n,6) heaviside
""".split()
TO_A_NUMBER = """
    sum prod mean median std var min max amin amax ptp argmin argmax size count_nonzero nansum nanprod nanmean nanmedian
    nanstd nanvar nanmin nanmax any all trace(m) isscalar(x[0]) iscomplexobj isrealobj
""".split()
EXPRESSIONS = {
    "made": """
        np.zeros(3).sum(); np.zeros((2, 3)).sum(); np.ones(3).sum(); np.ones((2, 2)).sum(); np.full(3, 0.5).sum()
        np.full((2, 3), 2.0).sum(); np.full_like(x, 2.0).sum(); np.empty(3).size; np.empty_like(x).size; np.eye(3)[0, 0]
        np.identity(4)[1] @ x; np.tri(4)[2] @ x; np.arange(1.0, 3.0, 0.5).sum(); np.linspace(0.0, 1.0, 5)[3]
        np.logspace(0.0, 1.0, 4).sum(); np.geomspace(1.0, 8.0, 4).sum(); np.array([1.0, x[0]]).sum()
        np.hamming(4) @ x; np.hanning(4) @ x; np.blackman(4) @ x; np.bartlett(4) @ x; np.kaiser(4, 1.0) @ x
        np.indices((2, 3)).sum(); np.meshgrid(x, x)[0].sum(); np.tril_indices(3)[0].sum(); np.triu_indices(3)[1].sum()
        np.tril_indices_from(m)[0].sum(); np.triu_indices_from(m)[1].sum(); np.finfo(np.float64).eps
        np.iinfo(np.int64).max
    """,
    "shaped": """
        np.append(x, 1.0).sum(); np.concatenate((x, x))[5]; np.hstack((x, x))[5]; np.vstack((x, x))[1, 2]
        np.stack((x, x))[1, 1]; np.column_stack((x, x))[2, 1]; np.dstack((m, m))[1, 1, 0]; np.reshape(x, (2, 2))[1, 0]
        np.expand_dims(x, 0)[0, 1]; np.repeat(x, 2)[3]; np.roll(x, 1)[0]; np.delete(x, 1)[1]; np.resize(x, (2, 2))[1, 1]
        np.array_split(x, 2)[1][0]; np.split(x, 2)[1][1]; np.hsplit(m, 2)[0][1, 1]; np.vsplit(m, 2)[1][1, 1]
        np.broadcast_to(x, (2, 4))[1, 2]; np.broadcast_arrays(x, m)[0][2, 1]; np.broadcast_shapes((1, 4), (3, 1))[0]
        np.swapaxes(m, 0, 1)[0, 1]; np.shape(m)[0]; np.take(x, 2); np.take_along_axis(x, n, 0)[1]
        np.extract(x > 0.4, x)[0]
        np.where(x > 0.4, x, 0.0).sum(); np.select([x > 0.6, x > 0.4], [x, 2 * x], 0.0).sum(); np.nonzero(x > 0.4)[0][0]
        np.clip(x, 0.25, 0.6).sum(); np.around(x, 1).sum(); np.round(x, 1).sum()
        np.rot90(m, 2)[0, 0]; np.triu(m, 1).sum()
    """,
    "told": """
        np.allclose(x, x); np.isclose(x, x).sum(); np.array_equal(x, x); np.isin(n, np.array([1, 2])).sum()
        np.average(x); np.average(x, weights=n); np.percentile(x, 30.0); np.quantile(x, 0.3); np.nanpercentile(g, 30.0)
        np.nanquantile(g, 0.3); np.nanmean(g); np.nanmax(g); np.searchsorted(np.sort(x), 0.4)
        np.digitize(0.4, np.sort(x))
        np.bincount(n).sum(); np.histogram(x, 3)[0][0]; np.interp(0.4, n * 1.0, x); np.argpartition(x, 2)[2]
        np.partition(x, 2)[2]; np.cov(m)[0, 1]; np.corrcoef(m)[0, 1]; np.convolve(x, x)[2]; np.correlate(x, x)[0]
        np.cross(x[:3], m[0, :3])[1]; np.cross(m[:2, :3], s[:2, :3]).sum(); np.intersect1d(x, x)[1]; np.union1d(x, x)[1]
        np.setdiff1d(x, x[:2])[0]; np.setxor1d(x, x[:2])[0]; np.trapezoid(x); np.sum(m, axis=0)[1]
        np.roots(np.array([1.0, -3.0, 2.0]))[0]
        np.max(m.sum(axis=1))
    """,
    "linear algebra": """
        np.dot(x, x); np.vdot(x, x); np.outer(x, x)[1, 2]; np.kron(m, m)[1, 2]; np.linalg.det(m); np.linalg.inv(m)[0, 1]
        np.linalg.solve(s, np.ones(4))[0]; np.linalg.norm(x); np.linalg.norm(m); np.linalg.cond(s)
        np.linalg.slogdet(s)[1]
        np.linalg.cholesky(s)[1, 0]; np.linalg.eigvalsh(s)[0]; np.linalg.eigh(s)[0][1]; np.linalg.matrix_rank(s)
        np.linalg.matrix_power(m, 3)[0, 1]; np.linalg.pinv(m)[0, 1]; np.abs(np.linalg.qr(m)[1]).sum(); np.trace(m)
        np.linalg.svd(m)[1][0]; np.linalg.lstsq(s, np.ones(4))[0][1]; np.linalg.eigvals(s + 0j).real.max()
        np.linalg.eig(s + 0j)[0].real.max(); (m @ x)[1]; (m @ m)[1, 2]
    """,
    "walked through": """
        sum([v for v in x.flat]); sum([i[0] * v for i, v in np.ndenumerate(x)]); sum([i[0] for i in np.ndindex(3)])
        sum([v.item() for v in np.nditer(x)]); x.T.sum(); x.copy()[0]; x.astype(np.int64).sum(); x.reshape((2, 2))[1, 1]
        x.argmax(); x.cumsum()[2]; x.take(1); x.view(np.int64)[0] % 7; m.flatten()[3]; m.ravel()[5]; m.transpose()[0, 1]
        x.nonzero()[0][1]; float(np.float32(x[0])); np.int64(3.7 * x[2]); np.bool_(x[0]); np.uint8(200); c.real.sum()
    """,
}


def groups():
    """The expressions, each of which is one number, in groups that become one objective."""
    one = [f"np.{name}" + ("" if "(" in name else "(x)") for name in ONE_ARGUMENT]
    two = [f"np.{name}" + ("" if "(" in name else "(x, x[::-1])") for name in TWO_ARGUMENTS]
    alone = [f"np.{name}" + ("" if "(" in name else "(x)") for name in TO_A_NUMBER]
    found = {
        "of one argument": [f"np.abs({text}).sum()" for text in one], "to a number": alone,
        "of two arguments": [f"{text}[0].sum()" if "divmod" in text else f"{text}.sum()" for text in two],
    }  # fmt: skip
    for name, block in EXPRESSIONS.items():
        found[name] = [text.strip() for line in block.strip().splitlines() for text in line.split(";")]
    return {f"{name} {k // 20}": texts[k : k + 20] for name, texts in found.items() for k in range(0, len(texts), 20)}


NOT_IN_NUMBA = ("np.heaviside(x, x[::-1]).sum()", "np.meshgrid(x, x)[0].sum()")  # the second: as a tuple of arrays


def made(expressions):
    lines = [f"    total += {k + 1.0} * ({text})" for k, text in enumerate(expressions)]
    scope = {"np": np}
    exec("def f(x):" + BEFORE + "    total = 0.0\n" + "\n".join(lines) + "\n    return total\n", scope)
    return scope["f"]


def value(function):
    return objective(function, check=False).bind().evaluate(X[None])[0]


QUICK = ("made 0", "of one argument 0", "of two arguments 0")  # the others take a minute to be compiled


def check_group(name):
    expressions = [text for text in groups()[name] if text not in NOT_IN_NUMBA]
    function = made(expressions)
    try:
        np.testing.assert_allclose(value(function), function(X), rtol=1e-12)
    except Exception:
        for text in expressions:
            try:
                np.testing.assert_allclose(value(made([text])), made([text])(X), rtol=1e-12)
            except Exception as error:
                raise AssertionError(f"{text}: {error}") from None
        raise


@pytest.mark.parametrize("name", QUICK)
def test_numpys_functions_have_numpys_values(name):
    check_group(name)


@pytest.mark.long
def test_all_others_have_numpys_values():
    def fault(name):
        done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, timeout=600)
        return f"{name}: {done.stderr[-500:]}" if done.returncode else ""

    with ThreadPoolExecutor(2) as pool:  # processes, two at a time
        assert [found for found in pool.map(fault, [name for name in groups() if name not in QUICK]) if found] == []


@pytest.mark.parametrize("text", NOT_IN_NUMBA)
def test_what_is_left_out_is_beyond_numba_itself(text):
    with pytest.raises(Exception, match=r"."):
        numba.njit(made([text]))(X)


if __name__ == "__main__":
    check_group(sys.argv[1])
