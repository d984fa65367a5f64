"""Exact derivatives of plain Python functions by dual numbers: what automatic gradients are held against.

`gradient(f, x, args)` runs f as Python on numbers v + d e with e^2 = 0, d of shape (n,) for all partial derivatives at
once. f's `math` and `np` are replaced in a copy of its globals, and in the helper functions that it calls: `np.zeros`
and its kin make arrays that hold duals, and NumPy's functions on arrays of objects call the methods below. What NumPy
has for floats only (`np.interp`, `np.linalg`) is not for duals: use `differences.gradient` there.
"""

import builtins
import math
import types

import numpy as np


def _of_numbers(operation):
    """With an array NumPy goes through the elements."""

    def method(self, other):
        return NotImplemented if isinstance(other, np.ndarray) else operation(self, other)

    return method


ROOT_PI = math.sqrt(math.pi)


class Dual:
    """v + d e: the value v and the derivatives d, (n,); for second derivatives all of them are duals themselves."""

    __slots__ = ("d", "v")

    def __init__(self, v, d):
        self.v, self.d = v, d

    def __repr__(self):
        return f"Dual({self.v}, {self.d})"

    @_of_numbers
    def __add__(self, other):
        v, d = parts(other)
        return Dual(self.v + v, self.d + d)

    @_of_numbers
    def __sub__(self, other):
        v, d = parts(other)
        return Dual(self.v - v, self.d - d)

    def __rsub__(self, other):
        return -self + other

    @_of_numbers
    def __mul__(self, other):
        v, d = parts(other)
        return Dual(self.v * v, self.d * v + self.v * d)

    @_of_numbers
    def __truediv__(self, other):
        v, d = parts(other)
        return Dual(self.v / v, (self.d - self.v / v * d) / v)

    def __rtruediv__(self, other):
        return Dual(other / self.v, -other / self.v / self.v * self.d)

    @_of_numbers
    def __pow__(self, other):
        v, d = parts(other)
        power = self.v**v
        slope = v * self.v ** (v - 1.0) * self.d if v != 0.0 else 0.0 * self.d
        return Dual(power, slope + power * MATH.log(self.v) * d if isinstance(other, Dual) else slope)

    def __rpow__(self, other):
        power = other**self.v
        return Dual(power, power * MATH.log(other) * self.d)

    @_of_numbers
    def __mod__(self, other):
        return self - other * math.floor((self / other).v)

    def __rmod__(self, other):
        return other - self * math.floor(other / self.v)

    def __neg__(self):
        return Dual(-self.v, -self.d)

    def __pos__(self):
        return self

    def __abs__(self):
        return -self if self.v < 0.0 else self

    @_of_numbers
    def __lt__(self, other):
        return self.v < parts(other)[0]

    @_of_numbers
    def __le__(self, other):
        return self.v <= parts(other)[0]

    @_of_numbers
    def __gt__(self, other):
        return self.v > parts(other)[0]

    @_of_numbers
    def __ge__(self, other):
        return self.v >= parts(other)[0]

    @_of_numbers
    def __eq__(self, other):
        return self.v == parts(other)[0]

    __hash__ = None
    __radd__, __rmul__ = __add__, __mul__

    def __int__(self):
        return int(self.v)

    def __floor__(self):
        return math.floor(self.v)

    # NumPy calls these for an array of objects.

    def sin(self):
        return Dual(MATH.sin(self.v), MATH.cos(self.v) * self.d)

    def cos(self):
        return Dual(MATH.cos(self.v), -MATH.sin(self.v) * self.d)

    def tan(self):
        t = MATH.tan(self.v)
        return Dual(t, (1.0 + t * t) * self.d)

    def arctan(self):
        return Dual(MATH.atan(self.v), self.d / (1.0 + self.v * self.v))

    def sinh(self):
        return Dual(MATH.sinh(self.v), MATH.cosh(self.v) * self.d)

    def cosh(self):
        return Dual(MATH.cosh(self.v), MATH.sinh(self.v) * self.d)

    def tanh(self):
        t = MATH.tanh(self.v)
        return Dual(t, (1.0 - t * t) * self.d)

    def exp(self):
        e = MATH.exp(self.v)
        return Dual(e, e * self.d)

    def expm1(self):
        return Dual(MATH.expm1(self.v), MATH.exp(self.v) * self.d)

    def log(self):
        return Dual(MATH.log(self.v), self.d / self.v)

    def log1p(self):
        return Dual(MATH.log1p(self.v), self.d / (1.0 + self.v))

    def sqrt(self):
        root = MATH.sqrt(self.v)
        return Dual(root, 0.5 / root * self.d)

    def erf(self):
        return Dual(MATH.erf(self.v), 2.0 / ROOT_PI * MATH.exp(-self.v * self.v) * self.d)

    def erfc(self):
        return Dual(MATH.erfc(self.v), -2.0 / ROOT_PI * MATH.exp(-self.v * self.v) * self.d)

    def fabs(self):
        return abs(self)

    def square(self):
        return self * self

    def hypot(self, other):
        return (self * self + other * other).sqrt()

    def arctan2(self, other):
        x, d = parts(other)
        square = self.v * self.v + x * x
        return Dual(MATH.atan2(self.v, x), (x * self.d - self.v * d) / square)

    def conjugate(self):
        return self


def parts(a):
    """Value and derivatives of a dual or a number."""
    return (a.v, a.d) if isinstance(a, Dual) else (a, 0.0)


# --- what stands in for `math` and `np` --------------------------------------------------------------------------


def _function(name, method):
    plain = getattr(math, name)

    def called(a, *others):
        if not any(isinstance(value, Dual) for value in (a, *others)):
            return plain(a, *others)
        dual = a if isinstance(a, Dual) else Dual(a, 0.0)
        return getattr(dual, method)(*others)

    return called


ONE_NAME = "sin cos tan sinh cosh tanh exp expm1 log log1p sqrt erf erfc fabs hypot".split()
MATH = types.SimpleNamespace(**{name: getattr(math, name) for name in dir(math)})
for _name in ONE_NAME:
    setattr(MATH, _name, _function(_name, _name))
MATH.atan, MATH.atan2 = _function("atan", "arctan"), _function("atan2", "arctan2")
MATH.pow = lambda a, b: a**b


FLOATS = (None, float, np.float64)
lifted = np.vectorize(lambda v: v if isinstance(v, Dual) else Dual(float(v), 0.0), otypes=[object])


class _NumPy:
    """NumPy whose new arrays hold objects, so that duals can be written into them."""

    def __getattr__(self, name):
        return getattr(np, name)

    def full(self, shape, value, dtype=float):
        return lifted(np.full(shape, value, object)) if dtype in FLOATS else np.full(shape, value, dtype)

    def zeros(self, shape, dtype=float):
        return self.full(shape, 0, dtype)

    def ones(self, shape, dtype=float):
        return self.full(shape, 1, dtype)

    empty = zeros

    def zeros_like(self, a):
        return self.zeros(np.shape(a))

    empty_like = zeros_like

    def array(self, values, dtype=None):
        made = np.array(values, dtype=None if dtype in FLOATS else dtype)
        return lifted(made) if made.dtype in (object, np.float64) else made

    def eye(self, n):
        return lifted(np.eye(n))


NUMPY = _NumPy()


def on_duals(f, seen=None):
    """f, and the functions of its globals and its closure, with `math` and `np` replaced, and jitted ones by Python."""
    f = getattr(f, "py_func", f)
    seen = {} if seen is None else seen
    if f in seen:
        return seen[f]
    globals_ = {"__builtins__": builtins}
    cells = tuple(types.CellType() for _ in f.__closure__ or ())
    seen[f] = copy = types.FunctionType(f.__code__, globals_, f.__name__, f.__defaults__, cells)
    copy.__kwdefaults__ = f.__kwdefaults__
    for name in f.__code__.co_names:
        if name in f.__globals__:
            globals_[name] = _replaced(f.__globals__[name], seen)
    for mine, theirs in zip(cells, f.__closure__ or ()):
        mine.cell_contents = _replaced(theirs.cell_contents, seen)
    return copy


def _replaced(value, seen):
    if value is math:
        return MATH
    if value is np:
        return NUMPY
    if isinstance(getattr(value, "py_func", value), types.FunctionType):
        return on_duals(value, seen)
    return value


def _for_duals(value):
    """An argument: of an array of floats a copy that duals can be written into."""
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(_for_duals(item) for item in value)
    return lifted(value) if isinstance(value, np.ndarray) and value.dtype == np.float64 else value


def value_and_gradient(f, x, args=()):
    """The value, and the gradient (n,) of f at x, exact but for rounding."""
    x = np.asarray(x, dtype=np.float64)
    unit = np.eye(len(x))
    variables = np.empty(len(x), dtype=object)
    for i in range(len(x)):
        variables[i] = Dual(float(x[i]), unit[i])
    result = on_duals(f)(variables, *(_for_duals(value) for value in args))
    v, d = parts(result)
    return float(v), np.broadcast_to(np.asarray(d, dtype=np.float64), len(x)).copy()


def jacobian(f, x, args=()):
    """(M,), (M, n) the values and the Jacobian of f, which returns an array, at x."""
    unit = np.eye(len(x))
    variables = lifted([Dual(float(v), d) for v, d in zip(x, unit)])
    found = [parts(r) for r in on_duals(f)(variables, *(_for_duals(value) for value in args))]
    return np.array([v for v, _ in found], float), np.array([np.broadcast_to(d, len(x)) for _, d in found], float)


def product(f, x, direction, args=()):
    """(n,) the Hessian of f at x times a vector: the derivative of the gradient in its direction."""
    unit = np.eye(len(x))
    variables = lifted([Dual(Dual(float(v), float(p)), d) for v, p, d in zip(x, direction, unit)])
    result = on_duals(f)(variables, *(_for_duals(value) for value in args))
    return np.array([parts(d)[1] for d in np.broadcast_to(parts(result)[1], len(x))], float)


def gradient(f, x, args=()):
    """(n,) the gradient of f at x, exact but for rounding."""
    return value_and_gradient(f, x, args)[1]
