"""What only the GPU needs: the import of CUDA, substitutes, launches. Nothing here is imported on a CPU-only path.

shim.py         the one place that imports CUDA
objective.py    an objective as a function of the device; its values for a batch of points
generation.py   one generation of any solver, in two shapes
launches.py     states on the device: up, on, down
search.py       ranges of points of a search
problems.py     many small problems, a thread each, by any solver
questions.py    what such a thread asks of its problem
many.py         those problems on the device: up, on, down
passes.py       sums over rows of data, blocks of rows side by side
data.py         those data on the device: a point up, a value and a gradient down
"""
