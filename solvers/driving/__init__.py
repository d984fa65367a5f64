"""The machinery around a solver: loops, runs, sessions, checkpoints, the GPU. Knows no method by name."""
