"""Pure random search: independent points, uniform in the box.

`draws` are those of generation 0 whatever the generation: point k of a run, counted through, has the draws of row k.
"""

import numpy as np

from .common import close, copied, evaluate, in_box


def iterate(state, fun, draws):
    s = copied(state)
    first = s.evaluations
    points = [in_box(s, draws.uniforms(first + k, 0, len(s.lower))) for k in range(s.count)]
    if s.iteration == 0:
        points[: len(s.given)] = list(s.given)[: s.count]
    evaluate(s, fun, np.array(points))
    return close(s)
