"""Methods of one variable, as their sources write them.

localmin        Brent, Algorithms for Minimization without Derivatives (Prentice-Hall 1973), section 5.8, the Algol
                procedure `localmin`, with a first point that may be given
golden          Kiefer (1953): of two inner points the worse one becomes an end
downhill        Press et al., Numerical Recipes, section 10.1: bracketing a minimum

Each returns what it found; which points are asked for, the function given notes.
"""

import math


def localmin(f, a, b, eps, t, x=None, fx=None):
    c = (3 - math.sqrt(5)) / 2
    if x is None:
        x = a + c * (b - a)
        fx = f(x)
    v = w = x
    fv = fw = fx
    d = e = 0.0
    while True:
        m = 0.5 * (a + b)
        tol = eps * abs(x) + t
        t2 = 2 * tol
        if abs(x - m) <= t2 - 0.5 * (b - a):
            return x, fx
        p = q = r = 0.0
        if abs(e) > tol:
            r = (x - w) * (fx - fv)
            q = (x - v) * (fx - fw)
            p = (x - v) * q - (x - w) * r
            q = 2 * (q - r)
            if q > 0:
                p = -p
            else:
                q = -q
            r = e
            e = d
        if abs(p) < abs(0.5 * q * r) and p > q * (a - x) and p < q * (b - x):
            d = p / q
            u = x + d
            if u - a < t2 or b - u < t2:
                d = tol if x < m else -tol
        else:
            e = (b if x < m else a) - x
            d = c * e
        u = x + (d if abs(d) >= tol else tol if d > 0 else -tol)
        fu = f(u)
        if fu <= fx:
            if u < x:
                b = x
            else:
                a = x
            v, fv, w, fw, x, fx = w, fw, x, fx, u, fu
        else:
            if u < x:
                a = u
            else:
                b = u
            if fu <= fw or w == x:
                v, fv, w, fw = w, fw, u, fu
            elif fu <= fv or v == x or v == w:
                v, fv = u, fu


def golden(f, a, b, c, fb, tol):
    part = (3 - math.sqrt(5)) / 2
    rest = 1 - part
    if c - b > b - a:
        x1, f1, x2 = b, fb, b + part * (c - b)
        f2 = f(x2)
    else:
        x1, x2, f2 = b - part * (b - a), b, fb
        f1 = f(x1)
    while c - a > tol * (abs(x1) + abs(x2)):
        if f2 < f1:
            a, x1, f1 = x1, x2, f2
            x2 = rest * x1 + part * c
            f2 = f(x2)
        else:
            c, x2, f2 = x2, x1, f1
            x1 = rest * x2 + part * a
            f1 = f(x1)
    return min((f1, x1), (f2, x2))[::-1]


def downhill(f, a, b, grow=110.0):
    gold = (1 + math.sqrt(5)) / 2
    fa, fb = f(a), f(b)
    if fa < fb:
        a, b, fa, fb = b, a, fb, fa
    c = b + gold * (b - a)
    fc = f(c)
    while fb > fc:
        r = (b - a) * (fb - fc)
        q = (b - c) * (fb - fa)
        u = b - ((b - c) * q - (b - a) * r) / (2 * math.copysign(max(abs(q - r), 1e-21), q - r))
        limit = b + grow * (c - b)
        if (b - u) * (u - c) > 0:
            fu = f(u)
            if fu < fc:
                return b, u, c, fb, fu, fc
            if fu > fb:
                return a, b, u, fa, fb, fu
            u = c + gold * (c - b)
        elif (c - u) * (u - limit) > 0:
            a, b, c, fa, fb, fc = b, c, u, fb, fc, f(u)
            if fc >= fb:
                return a, b, c, fa, fb, fc
            u = c + gold * (c - b)
        elif (u - limit) * (limit - c) >= 0:
            u = limit
        else:
            u = c + gold * (c - b)
        a, b, c, fa, fb, fc = b, c, u, fb, fc, f(u)
    return a, b, c, fa, fb, fc


def newton(f, slope, curvature, x, xtol, low=-math.inf, high=math.inf):
    """Newton's method downhill: |f'/f''|, at most 100 max(1, |x|); between slopes of opposite signs; halved.

    Where the curvature is below 0 a step is at least twice the last one.
    """
    last = 0.0
    a, b = -math.inf, math.inf
    fx, g = f(x), slope(x)
    while True:
        a, b = (x, b) if g < 0 else (a, x) if g > 0 else (a, b)
        if (x <= low and g > 0) or (x >= high and g < 0) or b - a <= xtol * abs(x) + 1e-11:
            return x
        h = curvature(x)
        if g == 0 and h > 0:
            return x
        longest = 100 * max(1, abs(x))
        d = min(abs(g / h), longest) if h != 0 else longest
        if h < 0:
            d = min(max(d, 2 * abs(last)), longest)
        u = x - math.copysign(d, g)
        if u >= b:
            u = (x + b) / 2
        elif u <= a:
            u = (x + a) / 2
        d = min(max(u, low), high) - x
        whole = abs(d) <= xtol * abs(x) + 1e-11
        while True:
            fu, gu = f(x + d), slope(x + d)
            if fu <= fx + 1e-4 * g * d or (abs(fu - fx) <= 4 * 2**-52 * abs(fx) and abs(gu) < abs(g)):
                break
            if gu * g < 0:
                a, b = (x + d, b) if gu < 0 else (a, x + d)
            d /= 2
            if abs(d) <= xtol * abs(x) + 1e-11 and b - a <= 2 * (xtol * abs(x) + 1e-11):
                return x
        last = x + d - x
        x, fx, g = x + d, fu, gu
        if whole:
            return x
