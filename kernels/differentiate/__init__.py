"""Exact derivatives of any objective that Numba compiles, by transforming the LLVM IR that Numba emits.

By the time the IR exists, slices, closures, lists, `np.interp` and array expressions have become some forty scalar
operations, and each of those has a simple rule. The stages, one after the other, each a file:

    source.py       the objective as LLVM text, compiled for a target that optimises nothing
    primitives.py   sin, exp ...: opaque calls until the derivative stands, then our own functions
    runtime.py      what Numba's runtime and its errors become
    decompositions.py   LAPACK's solve, factors and inverse as plain loops
    flatten.py      everything in one body, simplified, not vectorised
    reading.py      that text as blocks of instructions
    flow.py         which block follows which, and what is a loop
    pointers.py     what each pointer may point to, and what carries derivatives
    rules.py        the derivative of each operation
    adjoint.py      reverse mode: the value and the gradient
    saving.py       what the reverse sweep needs of the forward one: made anew, kept, or on a tape
    refusing.py     what is said of what has no derivative
    linking.py      that text as a library, optimised
    adapters.py     machine code by address, kept on disk
    plain.py        no derivative: the function itself, with memory from an arena, for a GPU
    device.py       functions and their derivatives as PTX, for a GPU
    workspace.py    the memory that it needs
"""
