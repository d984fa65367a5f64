"""Who survives of parents and children: the best, of equal points one (the fields of a state: genetic.py)."""

from ..compile.jit import inlined, part
from ..numbers.ranking import U, sort_rows
from . import population


@inlined
def join(state):
    """Parents and children compete; a population that is sampled anew has no parents."""
    if state.life[0].fresh == 0:
        state.rows[0].live = state.trial_f.size + state.rows[0].count


@inlined
def place_row(i, state):
    if state.life[0].fresh == 1:
        population.copy_row(state.trial, i, state.x, i)
        state.f[i] = state.trial_f[i]
    else:
        state.f[state.trial_f.size + i] = state.trial_f[i]


@inlined
def rank(state):
    """order: the children from best to worst. That of the parents is known."""
    size, live = state.trial_f.size, state.rows[0].live
    sort_rows(state.f, state.order, state.scratch, 0 if live == size else size, live)


@part
def survive(state):
    """The best stay, as many as the population has; of the parents at most the elites, of equal points one.

    Of equal values parents come first. Where too few are left by that, the best of the others stay as well.
    """
    rows, order, stay, f, own = state.rows[0], state.order, state.scratch, state.f, state.own[0]
    size, total = state.trial_f.size, rows.live
    if total == size:
        return
    a, b, kept, passed, elites = 0, size, 0, stay.size, min(own.elites, size)
    while kept < size and (a < elites or b < total):
        first, second = order[U(min(a, size - 1))], order[U(min(b, total - 1))]  # without a branch, as in ranking.py
        parent = (int(f[U(first)] <= f[U(second)]) | int(b == total)) & int(a < elites)
        row = second + parent * (first - second)
        a, b = a + parent, b + 1 - parent
        if own.distinct == 1 and is_held(row, kept, state):
            passed -= 1
            stay[passed] = row  # from the end on
        else:
            stay[kept] = row
            kept += 1
    complete, others = kept == size, stay.size
    while kept < size:  # copies, which are passed over where all parents may stay; or parents beyond the elites
        if others > passed:
            others -= 1
            stay[kept] = stay[others]
        else:
            stay[kept] = order[a]
            a += 1
        kept += 1
    replace_parents(state, total)
    if not complete:
        sort_rows(f, order, stay, 0, size)
    rows.live = size


@inlined
def is_held(row, kept, state):
    """Whether one of the rows that stay, of the same value, is the same point."""
    f, stay = state.f, state.scratch
    k = kept - 1
    while k >= 0 and f[stay[k]] == f[row]:
        differ = 0
        for j in range(state.x.shape[1]):
            differ += 1 if gene(stay[k], j, state) != gene(row, j, state) else 0
        if differ == 0:
            return True
        k -= 1
    return False


@inlined
def gene(row, j, state):
    size = state.trial_f.size
    return state.x[row, j] if row < size else state.trial[row - size, j]


@inlined
def replace_parents(state, total):
    """The children among the rows that stay, scratch[:P], take the places of the parents that do not.

    Lists that are made without branches: whether a row stays cannot be guessed.
    """
    order, stay, size = state.order, state.scratch, state.trial_f.size
    for row in range(total):
        order[U(row)] = 1
    for k in range(size):
        order[U(stay[U(k)])] = 0
    places = children = size
    for row in range(size):
        goes = order[U(row)]
        order[U(places)] = row
        places += goes
    for k in range(size):
        row = stay[U(k)]
        order[U(k)], stay[U(children)] = row, k
        children += int(row >= size)
    for c in range(size, children):
        k, place = stay[U(c)], order[U(c)]
        population.copy_row(state.trial, stay[U(k)] - size, state.x, place)
        state.f[U(place)], order[U(k)] = state.f[U(stay[U(k)])], place
