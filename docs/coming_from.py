"""Write coming-from.md from the tables that the doors read: `python docs/coming_from.py`."""

from pathlib import Path

from thalweg.solvers.driving.foreign import FOR_METHOD, REFUSED, TAKEN, Taken
from thalweg.solvers.driving.method_names import ALIASES, INSTEAD

HEAD = """# Coming from SciPy and others

*Made by `python docs/coming_from.py` from the tables that the doors read; a test keeps them equal.*

`thalweg.minimize` is called as `scipy.optimize.minimize` and `differential_evolution` are:

```python
from thalweg import minimize

minimize(f, [(-5, 5)] * 3)  # a box: pairs, a (D, 2) array, or scipy.optimize.Bounds; then x0, args
minimize(f, [1.0, 2.0, 3.0], (a, b), method="Nelder-Mead")  # a point: then args, method
minimize(f, x0=[1.0, 2.0, 3.0], bounds=[(0, None)] * 3, args=(a, b), tol=1e-8, options={"maxiter": 500})
```

A (D, 2) array is always a box; a population to begin with is `x0=`. `restarts`, `islands` and `Optimizer` read the same
names. What has another meaning here is refused, with what to write instead; nothing is ignored in silence. A local
method begins at the point of the box nearest to x0, and leaves out a gradient or Hessian that it does not use, each
with a warning; `callback` is called after each of its iterations.
"""

METHODS = """
## Methods

Capitals, hyphens, underscores and blanks make no difference.

| here | also taken |
|---|---|
"""

INSTEAD_HEAD = """
What is not here:

| written | told |
|---|---|
"""

ARGUMENTS = """
## Arguments

By name, or in `options` as SciPy has them. None means left out.

| written | here |
|---|---|
"""

REFUSED_HEAD = """
Refused, but for values that mean what is done anyway:

| written | told | taken |
|---|---|---|
"""


def quoted(names) -> str:
    return ", ".join(f"`{name}`" for name in names)


def meaning(taken: Taken) -> str:
    methods = f" of {quoted(taken.methods)}; else: {taken.else_write}" if taken.methods else ""
    return quoted(taken.to) + methods


def page() -> str:
    by_meaning: dict[str, list[str]] = {}
    for name, taken in TAKEN.items():
        by_meaning.setdefault(meaning(taken), []).append(name)
    for (name, method), taken in FOR_METHOD.items():
        by_meaning.setdefault(f"{quoted(taken.to)} of `{method}`", []).append(name)
    by_refusal: dict[tuple[str, str], list[str]] = {}
    for name, refused in REFUSED.items():
        by_refusal.setdefault((refused.write, quoted(map(repr, refused.harmless))), []).append(name)
    return "".join(
        [
            HEAD,
            METHODS,
            *(f"| `{name}` | {quoted(spellings)} |\n" for name, spellings in ALIASES.items()),
            INSTEAD_HEAD,
            *(f"| {quoted(names)} | {reason} |\n" for reason, names in INSTEAD.items()),
            ARGUMENTS,
            *(f"| {quoted(names)} | {text} |\n" for text, names in by_meaning.items()),
            REFUSED_HEAD,
            *(f"| {quoted(names)} | {text} | {harmless} |\n" for (text, harmless), names in by_refusal.items()),
        ]
    )


if __name__ == "__main__":
    (Path(__file__).parent / "coming-from.md").write_text(page(), "utf-8")
