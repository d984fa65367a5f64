"""Hooke and Jeeves' direct search (J. ACM 8 (1961) 212-229) and a hill climber, in plain Python.

A step along an axis is a share of the unit (the width of the box, or 1); of whole numbers at least 1, in whole numbers.
Steps are clipped to the box. A search may take evaluations up to the number `until` of the run.
"""

import math

import numpy as np

from .common import value_at


def steps(s, share, unit):
    return np.where(s.whole, np.maximum(np.floor(share * unit + 0.5), 1.0), share * unit)


def exploratory(s, fun, point, value, share, unit, until):
    """Each coordinate in turn: a step up, or else one down, where that makes the value less."""
    lengths = steps(s, share, unit)
    for j in range(len(point)):
        for side in (1, -1):
            tried = point.copy()
            tried[j] = min(max(point[j] + side * lengths[j], s.lower[j]), s.upper[j])
            if tried[j] != point[j] and s.evaluations < until and (found := value_at(s, fun, tried)) < value:
                point, value = tried, found
                break
    return point, value


def pairs(s, fun, point, value, until):
    """Two whole numbers change by 1 each: the first such neighbour with a lower value."""
    whole = np.flatnonzero(s.whole)
    for j in whole:
        for k in whole[whole < j]:
            for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                tried = point.copy()
                tried[j], tried[k] = point[j] + a, point[k] + b
                inside = ((s.lower <= tried) & (tried <= s.upper)).all()
                if inside and s.evaluations < until and (found := value_at(s, fun, tried)) < value:
                    return tried, found
    return point, value


def hooke_jeeves(s, fun, base, share, xtol, unit, until):
    """(local minimum, its value); base: where it begins."""
    until = min(until, s.max_evals)
    base_f = value_at(s, fun, base)
    ahead, ahead_f, is_pattern = base, base_f, False
    while s.evaluations < until:
        point, value = exploratory(s, fun, ahead, ahead_f, share, unit, until)
        led = False
        if value < base_f:
            step = point - base
            led = (abs(step) > steps(s, share, unit) / 2).any()  # not where numbers were rounded, and no more
            base, base_f = point, value
        if led:
            ahead = np.clip(base + step, s.lower, s.upper)
            ahead_f = value_at(s, fun, ahead) if s.evaluations < until else np.inf
            is_pattern = True
            continue
        if not is_pattern:
            whole = s.whole | (s.lower == s.upper)
            if share < xtol or (whole.all() and (share * unit < 1.5).all()):
                point, value = pairs(s, fun, base, base_f, until)
                if value == base_f:
                    break
                base, base_f = point, value
                ahead, ahead_f = base, base_f
                continue
            share /= 2
        ahead, ahead_f, is_pattern = base, base_f, False
    return base, base_f


def hill_climbing(s, fun, point, share, draws, unit, until):
    """Normal steps of all coordinates; the numbers of the k-th one are those of row k."""
    until, move = min(until, s.max_evals), 0
    value = value_at(s, fun, point)
    while s.evaluations < until:
        tried = point + share * unit * np.array([draws.normal(move, j) for j in range(len(point))])
        tried = np.array([math.floor(v + 0.5) if whole else v for v, whole in zip(tried, s.whole)])
        tried = np.clip(tried, s.lower, s.upper)
        if (found := value_at(s, fun, tried)) <= value:
            point, value = tried, found
        move += 1
    return point, value
