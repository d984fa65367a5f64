"""Plain transcriptions of the papers' iterations, one file a solver: what the engine is compared with.

Each has `iterate(state, fun, draws)`: the state after one whole iteration from a plain state (a SimpleNamespace of
arrays and numbers); `fun` takes points (n, D). Nothing here comes from thalweg; `draws` gives the numbers that the
engine draws.
"""
