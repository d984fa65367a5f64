"""ROC and precision-recall curves of the same scores, where positives are common and where they are rare.

python examples/learning/curves.py
"""

import math

import numpy as np
from drawing import BLUE, GREY, ORANGE, picture

import thalweg as tw

SHARES = {0.5: BLUE, 0.05: ORANGE}  # of positive rows
AREA = (1 + math.erf(1 / math.sqrt(2))) / 2  # of the two bells: how often a normal number is below 1


def sample(share, rows=20_000, seed=1):
    """Labels of rows, and the probability that each is positive.

    The rows are points in the plane, of two round bells of variance 1 around (0, 0) and (1, 1); by Bayes' rule the
    logarithm of the odds is a sum of a point's coordinates and a constant.
    """
    random = np.random.default_rng(seed)
    y = (random.random(rows) < share).astype(int)
    X = random.standard_normal((rows, 2)) + y[:, None]
    log_odds = X.sum(axis=1) - 1 + math.log(share / (1 - share))
    return y, 1 / (1 + np.exp(-log_odds))


def draw(left, right):
    left.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, label="chance")
    for share, colour in SHARES.items():
        y, scores = sample(share)
        fpr, tpr, _ = tw.metrics.roc_curve(y, scores)
        area = tw.metrics.roc_auc_score(y, scores)
        left.plot(fpr, tpr, color=colour, linewidth=1.2, label=f"{share:.0%} positive: area {area:.2f}")
        precision, recall, _ = tw.metrics.precision_recall_curve(y, scores)
        mean = tw.metrics.average_precision_score(y, scores)
        right.plot(recall[:-1], precision[:-1], color=colour, label=f"{share:.0%} positive: average {mean:.2f}")
        right.axhline(share, color=GREY, linewidth=0.8)
        right.text(0.3, share + 0.01, "chance", color=GREY, fontsize=8)
    left.set(title="ROC: the share of positives does not matter", xlabel="false positive rate", ylabel="recall")
    right.set(title="Precision: it does", xlabel="recall", ylabel="precision", xlim=(-0.03, 1.03), ylim=(0, 1.03))
    left.legend(fontsize=8, loc="lower right")
    right.legend(fontsize=8, loc="lower right", bbox_to_anchor=(1.0, 0.3))


def table(y, scores):
    """Rows of threshold, precision, recall, F1, accuracy."""
    for threshold in (0.5, 0.2, 0.05):
        guess = (scores >= threshold).astype(int)
        precision, recall, f, _ = tw.metrics.precision_recall_fscore_support(y, guess, average="binary")
        yield threshold, precision, recall, f, tw.metrics.accuracy_score(y, guess)


if __name__ == "__main__":
    print(f"area of the two bells: {AREA:.4f}")
    for share in SHARES:
        y, scores = sample(share)
        print(f"{share:.0%} positive: area {tw.metrics.roc_auc_score(y, scores):.4f},", end=" ")
        print(f"average precision {tw.metrics.average_precision_score(y, scores):.4f}")
    print("5% positive: threshold, precision, recall, F1, accuracy")
    for row in table(*sample(0.05)):
        print("  ".join(f"{number:.3f}" for number in row))
    picture(draw)
