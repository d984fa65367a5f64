"""What Numba does not take, and what to write in its place."""

from __future__ import annotations

import re

IN_PYTHON = "evaluate it in Python with objective(f, compiled=False) (from thalweg import objective)"
OTHERWISE = "Write it with numbers, arrays and loops"
SCIPY = {  # functions of scipy.special: what is the same for a number
    "gamma": "math.gamma(v)", "gammaln": "math.lgamma(v)", "loggamma": "math.lgamma(v)", "erf": "math.erf(v)",
    "erfc": "math.erfc(v)", "expm1": "np.expm1(v)", "log1p": "np.log1p(v)", "sinc": "np.sinc(v)", "cbrt": "np.cbrt(v)",
    "exp2": "2.0**v", "exp10": "10.0**v", "expit": "1.0 / (1.0 + math.exp(-v))", "logit": "math.log(v / (1.0 - v))",
    "xlogy": "v * math.log(w) if v != 0.0 else 0.0", "entr": "-v * math.log(v) if v > 0.0 else 0.0",
}  # fmt: skip
MATH = {  # functions of math that Numba lacks
    "fmod": "np.fmod(a, b)", "prod": "np.prod(x)", "fsum": "np.sum(x)", "dist": "np.sqrt(np.sum((a - b) ** 2))",
    "isclose": "abs(a - b) <= 1e-9 * max(abs(a), abs(b))", "factorial": "math.gamma(n + 1.0)", "cbrt": "np.cbrt(v)",
    "exp2": "2.0**v", "comb": "round(math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)))",
}  # fmt: skip
ONLY_READ = (
    "Arrays that are global, in a closure or in an object are only read: copy the array inside, or pass it in args"
)
LINALG = "det|inv|solve|eigh?|eigvalsh?|cholesky|svd|qr|lstsq|slogdet|pinv"
INSTEAD = {  # what a reason looks like: what to write
    r"'exception_match'": "Compiled code catches no kinds of exceptions: test the values beforehand",
    r"STORE_GLOBAL": "Compiled code changes no globals; evaluations are counted in result.nfev",
    r"yield in a closure": "Put the generator expression into brackets, as in sum([v * v for v in x])",
    r"\(readonly|that is a constant|readonly array": ONLY_READ,
    r"lowering \w+\.(\w+) = ": "An object is only read, expected no assignment to its {0}; result.nfev has a count",
    r"Unknown attribute '(\w+)' of type (?!Module|array)(\w+)$": "The {0} of {1} is no number, array or function of "
    "these, which is what compiled code sees of an object: hold it as such",
    r"\.astype .*<class '(int|float|bool|complex)'>": "Write the dtype as NumPy's: x.astype(np.int64), np.float64",
    r"<built-in function abs>.*abs\(array": "Write np.abs(x) for an array; abs is for numbers",
    r"<built-in function array>.*array\(array": "x is an array already: write x, or x.copy() for one of your own",
    rf"<function (?:{LINALG}) .*\((?:list|.*(?:u?int|bool)\d*,)":
    "np.linalg takes arrays of floats: write np.array([[x[0], 1.0], [1.0, x[1]]]), or a.astype(np.float64)",
    r"<function norm[ >].*axis": "Write the loop or np.sqrt((a * a).sum(axis=1)): np.linalg.norm takes no axis here",
    r"(concatenate|h?stack|vstack|dstack|column_stack)[ >].*\((?:reflected |L?l?iteral|L)?[lL]ist":
        "Put the arrays into a tuple, where a list stands: np.{0}((a, b))",
    r"<function (?:array_)?mean[ >].*axis=": "Write np.sum(a, axis=0) / len(a): np.mean takes no axis here",
    r"<function (?:array_|npy_)?(std|var|max|min|prod|sort|median|any|all)[ >].*axis=":
        "Write a loop over rows or columns: np.{0} takes no axis here, as np.sum and np.argmin do",
    r"<function (?:array_)?(std|var)[ >].*ddof=": "Without ddof: n / (n - 1) times np.var(x), and the root of it",
    r"<function \w+[ >].*(where|keepdims|initial|out)=": "Leave {0}= out: write a loop, or np.where(...)",
    r"getitem.*\(array\(.*, (?:reflected )?list": "Indices are an array: x[np.array([0, 2])]",
    r"<function \w+[ >].*\((?:reflected )?list": "NumPy's functions take arrays: put np.array(...) around the list",
    r"'numpy\.inner'": "Write np.dot(a, b)",
    r"'numpy\.matmul'": "Write a @ b",
    r"'numpy\.einsum'": "Write the sum as a loop, or with np.dot and @",
    r"'numpy\.polyval'": "Write Horner's rule: a loop of value = value * v + c",
    r"Unknown attribute 'trace'": "Write np.trace(a)",
    r"'Function' object has no attribute 'dtype'": "Leave dtype= out, or write NumPy's: dtype=np.float64",
    r"Type of variable '\$": "Numba loses a value that is kept within a condition: assign it on a line of its own, "
    "in the place of := in `while` or `and`",
    r"Unknown attribute 'tolist'": "Loop over the array itself",
    r"global name 'reversed'": "Write x[::-1], or range(len(x) - 1, -1, -1)",
    r"args=\(\w+, [\w\[\]()]+\) kws=\{\}' to signature '\(x\)'": "Write math.log(v) / math.log(base)",
    r"<built-in function hypot>": "Write math.hypot(math.hypot(a, b), c)",
    r"global name '(any|all)'": "Write np.{0}(x > 0), or a loop",
    r"format spec in f-strings": "Print numbers as they are, as in print(x[0]), or leave it out",
    r"Cannot determine Numba type of <class 'dict'>": "A dict stands for no type: pass its values in args, as numbers "
    "and arrays, or a named tuple",
    r"global name '(\w+)'.*<class '(?:builtin_function_or_method|type)'>": "Compiled code has no {0}: write a loop",
    r"Cannot determine Numba type of <class '([\w.]+)'>": "Compiled code has no {0}: pass the numbers and arrays that "
    "it holds in args",
}  # fmt: skip


def readable(reason: str) -> str:
    """Without the digests in names of types."""
    return re.sub(r" [0-9a-f]{40}\b", "", reason)


def what_to_write(reason: str) -> str:
    """A sentence on what to write in place of what Numba gives as a reason; a general one where there is none."""
    found = re.search(r"global name '(\w+)'.*ufunc", reason) or re.search(r"'(\w+)' of type Module.*'scipy", reason)
    if found:
        same = SCIPY.get(found[1])
        instead = f"for a number v write {same}" if same else "write it out, or see thalweg.functions"
        return f"SciPy's own functions are not for Numba: {instead}"
    if "array_namespace" in reason:
        return "SciPy's own functions are not for Numba: write it out, or see thalweg.functions"
    if (found := re.search(r"'(\w+)' of type Module\(<module 'math'", reason)) and found[1] in MATH:
        return f"Compiled code has no math.{found[1]}: write {MATH[found[1]]}"
    for sign, words in INSTEAD.items():
        if found := re.search(sign, reason):
            return words.format(*found.groups())
    return OTHERWISE
