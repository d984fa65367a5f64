"""A step along a direction of descent that satisfies the strong Wolfe conditions.

Moré and Thuente, Line search algorithms with guaranteed sufficient decrease, ACM Trans. Math. Softw. 20 (1994) 286-307.
With p(a) = f(x + a d), a step a is taken where

    p(a) <= p(0) + c1 a p'(0)      the value falls enough: the paper's mu is c1
    |p'(a)| <= c2 |p'(0)|          the slope is nearly gone: its eta is c2

Added to the paper: steps at which the value is not finite are never an end of the interval; and where
rounding hides the decrease, the second condition alone will do (the idea of the approximate Wolfe conditions of Hager
and Zhang, SIAM J. Optim. 16 (2005) 170).
"""

import math

import numpy as np

from ..compile.jit import inlined, part
from ..numbers.linear_algebra import EPSILON, dot
from ..run import LINE_SEARCH_FAILED, NO_DERIVATIVE, OUT_OF_BUDGET, RUNNING, UNBOUNDED, evaluate_gradient, spent

SHRINK = 0.66  # in two trials the interval shrinks at least by this factor (delta of section 4)
GROW_LEAST, GROW_MOST = 1.1, 4.0  # until a minimum is enclosed, the next step is farther by this factor (section 4)
RETREAT = 0.1  # of the way to a step where the function is not finite: the next trial
NOISE = 16.0 * EPSILON  # relative error of a value, in which a decrease can hide
SHORTEST = 1e-8  # length of a first step, where gradients are tiny
BOTTOM = -1e100  # values below it fall without end; the squares of their slopes still are numbers


@inlined
def point_at(x, step, direction, lower, upper, bounded, trial):
    """trial (D,) = x + step direction; with `bounded`, inside the box, and on a bound that it misses by rounding."""
    if not bounded:
        for j in range(x.size):
            trial[j] = x[j] + step * direction[j]
        return
    for j in range(x.size):
        low, high = lower[j], upper[j]
        v = x[j] + step * direction[j]
        if v <= low + 2.0 * EPSILON * abs(low):
            v = low
        if v >= high - 2.0 * EPSILON * abs(high):
            v = high
        trial[j] = v


@inlined
def first_step(direction, slope, fall):
    """The first trial along a direction whose length means nothing, as -g: a length of 1, or 2 fall / |slope|.

    fall   how much the value became less in the step before, 0 if there was none (Nocedal and Wright, 3.60)
    """
    one = 1.0 / math.sqrt(dot(direction, direction, direction.size))
    return max(one, -2.0 * fall / slope) if fall > 0.0 else at_least_a_bit(one)


@inlined
def at_least_a_bit(one):
    """A step of 1, or of length 1 (which is `one`) where that is shorter; it is never too short to change anything."""
    return max(min(1.0, one), SHORTEST * one)


@part
def longest_step(x, direction, box):
    """The longest step along the direction that stays in the box."""
    longest = np.inf
    for j in range(x.size):
        if direction[j] > 0.0:
            longest = min(longest, (box.upper[j] - x[j]) / direction[j])
        elif direction[j] < 0.0:
            longest = min(longest, (box.lower[j] - x[j]) / direction[j])
    return longest


@inlined
def strong_wolfe(
    problem, x, value, direction, slope, step, largest, c1, c2, narrow, trials, box, bounded, trial, trial_g, run
):
    """(why none, step, value, slope) of a step that satisfies the conditions; trial is its point, trial_g the gradient.

    x, value, slope   where the search begins, f and p'(0) < 0 there
    direction (D,)    d
    step, largest     the first trial; no step is longer than `largest`, which may be inf
    c1, c2            0 < c1 < c2 < 1
    narrow            an interval that is narrower than this share of its far end is not divided any more
    trials            evaluations, at most
    bounded           whether points are clipped to the box, beyond which no step up to `largest` leads but by rounding

    Why there is none: RUNNING where there is one, also where it only makes the value less and `trials` or the interval
    are at their end; else the reason, which the method may make the stop of the run.
    """
    if not -np.inf < slope < 0.0:
        return LINE_SEARCH_FAILED, 0.0, value, slope
    origin, first_slope, n = value, slope, x.size
    # the interval: `low` is the end with the lowest value, 0 at first; `high` the other one, once it is `enclosed`
    low, low_value, low_slope, high, high_value, high_slope = 0.0, value, slope, 0.0, value, slope
    enclosed, first_stage, done, falling = False, True, False, False
    last, width, width_before = 0.0, np.inf, np.inf
    wall = np.inf  # the least step at which it was not finite
    nearest, farthest = 0.0, (1.0 + GROW_MOST) * step
    step = min(step, largest)
    for k in range(trials + 1):
        done = done or k == trials
        if done:
            if not low_value < origin:  # nothing was found that is lower than where it began
                return LINE_SEARCH_FAILED, step, value, slope
            if last == low:
                return RUNNING, low, low_value, low_slope
            step = low  # once more: its gradient is to be had
        if spent(run):
            return OUT_OF_BUDGET, step, value, slope
        point_at(x, step, direction, box.lower, box.upper, bounded, trial)
        value = evaluate_gradient(problem, trial, trial_g, run)
        slope = dot(trial_g, direction, n)
        falling = falling or value < BOTTOM
        if falling:  # on to where it is -inf, if that is near
            if not -np.inf < value < BOTTOM or step >= largest or k >= trials - 1:
                return UNBOUNDED, step, value, slope
            step = min(GROW_MOST * step, largest)
            continue
        decreased = value <= origin + c1 * step * first_slope
        hidden = abs(value - origin) <= NOISE * abs(origin)
        if done or ((decreased or hidden) and abs(slope) <= -c2 * first_slope):
            return RUNNING, step, value, slope
        if step >= largest and decreased and slope <= c1 * first_slope:
            return RUNNING, step, value, slope
        if not (value < np.inf and abs(slope) < np.inf):
            if decreased:  # it would go there, if it knew how to go on
                return NO_DERIVATIVE, step, value, slope
            last = step
            wall = min(wall, step)
            step = low + RETREAT * (step - low)
            enclosed, width, width_before = False, np.inf, np.inf
            nearest, farthest = low, wall
            done = step <= low
            continue
        first_stage = first_stage and not (decreased and slope >= 0.0)
        # While it has not fallen enough, the least of psi(a) = p(a) - p(0) - c1 a p'(0) is looked for (section 2).
        tilt = c1 * first_slope if first_stage and value <= low_value and not decreased else 0.0
        chosen, encloses = next_step(
            low, low_value - tilt * low, low_slope - tilt, high, high_value - tilt * high, high_slope - tilt,
            step, value - tilt * step, slope - tilt, enclosed, nearest, farthest,
        )  # fmt: skip
        if value - tilt * step > low_value - tilt * low:  # case U1 of section 2
            high, high_value, high_slope = step, value, slope
        else:
            if (slope - tilt) * (low - step) < 0.0:  # case U3; otherwise U2
                high, high_value, high_slope = low, low_value, low_slope
            low, low_value, low_slope = step, value, slope
        if not abs(chosen) < np.inf:  # it overflowed
            chosen = low + 0.5 * (high - low)
        last, step, enclosed = step, chosen, enclosed or encloses
        if enclosed:
            if abs(high - low) >= SHRINK * width_before:
                step = low + 0.5 * (high - low)
            width_before, width = width, abs(high - low)
            nearest, farthest = min(low, high), max(low, high)
            done = not nearest < step < farthest or farthest - nearest <= narrow * farthest
        else:
            nearest, farthest = step + GROW_LEAST * (step - low), step + GROW_MOST * (step - low)
        step = min(step, largest)
        if step >= wall:
            step = low + 0.5 * (wall - low)
    return LINE_SEARCH_FAILED, step, value, slope


@part
def next_step(low, low_value, low_slope, high, high_value, high_slope, step, value, slope, enclosed, nearest, farthest):
    """(the next trial, whether a minimum lies between `low` and `step`): the four cases of section 4."""
    cubic, exists = cubic_minimum(low, low_value, low_slope, step, value, slope)
    opposite = (slope > 0.0) != (low_slope > 0.0)
    if value > low_value:  # case 1: the cubic or half way to the parabola through two values and a slope
        parabola = low + 0.5 * low_slope / ((low_value - value) / (step - low) + low_slope) * (step - low)
        if abs(cubic - low) < abs(parabola - low):
            return cubic, True
        return cubic + 0.5 * (parabola - cubic), True
    secant = step + slope / (slope - low_slope) * (low - step)
    if opposite:  # case 2: the one farther from the step
        return (cubic if abs(cubic - step) > abs(secant - step) else secant), True
    if abs(slope) < abs(low_slope):  # case 3: the minimum lies beyond the step, if the cubic has one there
        beyond = exists and (cubic - step) * (step - low) > 0.0
        if not beyond:
            cubic = farthest if step > low else nearest
        if enclosed:
            chosen = cubic if abs(cubic - step) < abs(secant - step) else secant
            limit = step + SHRINK * (high - step)
            return (min(chosen, limit) if step > low else max(chosen, limit)), False
        chosen = cubic if abs(cubic - step) > abs(secant - step) else secant
        return min(max(chosen, nearest), farthest), False
    if enclosed:  # case 4: it falls more steeply than before
        cubic, exists = cubic_minimum(high, high_value, high_slope, step, value, slope)
        return cubic, False
    return (farthest if step > low else nearest), False


@inlined
def cubic_minimum(a, value_a, slope_a, b, value_b, slope_b):
    """(the minimum of the cubic through two values and slopes, whether it has one), Nocedal and Wright (3.59)."""
    first = 3.0 * (value_a - value_b) / (b - a) + slope_a + slope_b
    scale = max(abs(first), max(abs(slope_a), abs(slope_b)))
    square = (first / scale) * (first / scale) - (slope_a / scale) * (slope_b / scale)
    second = scale * math.sqrt(max(square, 0.0))
    if b < a:
        second = -second
    return b - (b - a) * ((slope_b + second - first) / (slope_b - slope_a + 2.0 * second)), square > 0.0
