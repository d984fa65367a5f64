"""Lengths of steps over the iterations: `scheduled(own, run)`, own having the fields of STEPS.

    constant      a
    1/t           a / (1 + r t)           Robbins and Monro, Ann. Math. Stat. 22 (1951) 400
    1/sqrt(t)     a / sqrt(1 + r t)       Zinkevich, ICML 2003; Kingma and Ba 2015, section 4
    exponential   a exp(-r t)
    cosine        a (1 + cos(pi s)) / 2   Loshchilov and Hutter, SGDR, ICLR 2017, eq. 5, without restarts

t = 0, 1, ... is the iteration, s in [0, 1] the share of the run that is over, by the limit that comes first. A warm-up
of W iterations multiplies this by min(1, (t + 1) / W) (Goyal et al., arXiv 1706.02677, section 2.2).
"""

import numpy as np

from ..compile.jit import inlined
from ..numbers.elementary import cos, exp
from ..run import progress

SCHEDULES = ("constant", "1/t", "1/sqrt(t)", "exponential", "cosine")
CONSTANT, INVERSE, INVERSE_ROOT, EXPONENTIAL, COSINE = range(5)
STEPS = {"step": "f8", "schedule": "i8", "rate": "f8", "warm_up": "i8"}  # a, one of SCHEDULES, r, W


@inlined
def scheduled(own, run):
    """The step of this iteration."""
    t, step = run.now[0].iteration, own.step
    if own.schedule == INVERSE:
        step /= 1.0 + own.rate * t
    elif own.schedule == INVERSE_ROOT:
        step /= np.sqrt(1.0 + own.rate * t)
    elif own.schedule == EXPONENTIAL:
        step *= exp(-own.rate * t)
    elif own.schedule == COSINE:
        step *= 0.5 * (1.0 + cos(np.pi * progress(run)))
    return step * (t + 1) / own.warm_up if t < own.warm_up else step
