"""The generalised Cauchy point: the first minimum of the quadratic model along the projected gradient.

    x(t) = P(x - t g, l, u),   m(x(t)) = f + g'(x(t) - x) + (x(t) - x)' B (x(t) - x) / 2

Algorithm CP of Byrd, Lu, Nocedal and Zhu, SIAM J. Sci. Comput. 16 (1995) 1190-1208. The path is straight between the
breakpoints t_j, at which variables meet their bounds; they are taken from a heap, as few are passed as a rule.
"""

import numpy as np

from ..calling.arguments import row
from ..compile.jit import compact, inlined
from ..numbers.linear_algebra import EPSILON, dot
from .compact import move_variable, times_middle, times_wide_transposed


@compact
def cauchy_point(x, g, box, pairs, form, point, path, breaks, heap):
    """point (D,) = x^c, and `form.free` is 1 where it is not at a bound that the path has met.

    path, breaks (D,)   scratch: the direction d, and t_j
    heap (D,)           scratch: the variables whose bounds lie ahead
    Rows 0 and 1 of form.small become c = W'(x^c - x).
    """
    n, kept, theta = x.size, pairs.now[0].kept, pairs.now[0].theta
    ahead = breakpoints(x, g, box, point, path, breaks, heap)
    c_y, c_s, mc_y, mc_s = row(form.small, 0), row(form.small, 1), row(form.small, 2), row(form.small, 3)
    p_y, p_s, mp_y, mp_s = row(form.small, 4), row(form.small, 5), row(form.small, 6), row(form.small, 7)
    w_y, w_s, mw_y, mw_s = row(form.small, 8), row(form.small, 9), row(form.small, 10), row(form.small, 11)
    times_wide_transposed(pairs, path, p_y, p_s)
    times_middle(pairs, form, p_y, p_s, mp_y, mp_s)
    for k in range(kept):
        c_y[k] = c_s[k] = mc_y[k] = mc_s[k] = 0.0
    slope = -dot(path, path, n)  # f'
    curvature = -theta * slope - dot(p_y, mp_y, kept) - dot(p_s, mp_s, kept)  # f''
    least = EPSILON * -theta * slope  # rounding must not make it negative
    t = 0.0
    while slope < 0.0:
        step = -slope / max(curvature, least)
        if ahead == 0 or t + step < breaks[heap[0]]:
            t += step
            for k in range(kept):
                c_y[k] += step * p_y[k]
                c_s[k] += step * p_s[k]
            break
        j = heap[0]
        ahead -= 1
        heap[0] = heap[ahead]
        sift_down(breaks, heap, np.int64(0), ahead)
        step = breaks[j] - t
        t = breaks[j]
        gone = point[j] = box.upper[j] if path[j] > 0.0 else box.lower[j]
        z = gone - x[j]
        for k in range(kept):
            c_y[k] += step * p_y[k]
            c_s[k] += step * p_s[k]
            mc_y[k] += step * mp_y[k]
            mc_s[k] += step * mp_s[k]
            w_y[k], w_s[k] = pairs.y[k, j], theta * pairs.s[k, j]
        times_middle(pairs, form, w_y, w_s, mw_y, mw_s)
        wc = dot(w_y, mc_y, kept) + dot(w_s, mc_s, kept)
        wp = dot(w_y, mp_y, kept) + dot(w_s, mp_s, kept)
        ww = dot(w_y, mw_y, kept) + dot(w_s, mw_s, kept)
        slope += step * curvature + g[j] * g[j] + theta * g[j] * z - g[j] * wc
        curvature -= theta * g[j] * g[j] + 2.0 * g[j] * wp + g[j] * g[j] * ww
        for k in range(kept):
            p_y[k] += g[j] * w_y[k]
            p_s[k] += g[j] * w_s[k]
            mp_y[k] += g[j] * mw_y[k]
            mp_s[k] += g[j] * mw_s[k]
        path[j] = 0.0
        breaks[j] = 0.0  # it is at its bound
        if ahead == 0 and dot(path, path, n) == 0.0:
            break
    for j in range(n):
        if path[j] != 0.0:
            point[j] = x[j] + t * path[j]
        if (breaks[j] > 0.0) != (form.free[j] == 1.0):
            move_variable(pairs, form, j)


@inlined
def breakpoints(x, g, box, point, path, breaks, heap):
    """point = x, path = -g but where a bound stops it at once, breaks = t_j: (4.1) and (4.2); the heap, and its size.

    A variable without a gradient stays free, also on its bound; one whose bounds are equal never is.
    """
    ahead = 0
    for j in range(x.size):
        point[j], path[j], breaks[j] = x[j], -g[j], np.inf
        if g[j] < 0.0:
            breaks[j] = (x[j] - box.upper[j]) / g[j]
        elif g[j] > 0.0:
            breaks[j] = (x[j] - box.lower[j]) / g[j]
        if not breaks[j] > 0.0 or box.lower[j] == box.upper[j]:
            breaks[j] = path[j] = 0.0
        elif breaks[j] < np.inf:
            heap[ahead] = j
            ahead += 1
    for place in range(ahead // 2 - 1, -1, -1):
        sift_down(breaks, heap, place, ahead)
    return ahead


@compact
def sift_down(breaks, heap, place, size):
    """The variable at this place goes down until none below it has an earlier breakpoint."""
    j = heap[place]
    while 2 * place + 1 < size:
        child = 2 * place + 1
        if child + 1 < size and breaks[heap[child + 1]] < breaks[heap[child]]:
            child += 1
        if breaks[heap[child]] >= breaks[j]:
            break
        heap[place] = heap[child]
        place = child
    if size > 0:
        heap[place] = j
