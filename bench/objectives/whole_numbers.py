"""Problems of whole numbers whose best is known: quadratics around a point, and a knapsack as a linear penalty."""

PENALTY = 100.0  # for each unit of the excess


def separable(x, best):
    total = 0.0
    for i in range(x.size):
        total += (i + 1.0) * (x[i] - best[i]) ** 2
    return total


def coupled(x, best):
    total = 0.0
    for i in range(x.size):
        total += (x[i] - best[i]) ** 2
        if i > 0:
            total += 0.9 * (x[i - 1] - best[i - 1]) * (x[i] - best[i])
    return total


def knapsack(x, gains, weights, room):
    gain, load = 0.0, 0.0
    for i in range(x.size):
        gain += gains[i] * x[i]
        load += weights[i] * x[i]
    return -gain + PENALTY * max(load - room, 0.0)
