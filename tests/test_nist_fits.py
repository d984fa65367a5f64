"""All 13 of NIST's non-linear problems, from both certified starts, by Levenberg-Marquardt: NIST's own digits."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from thalweg import curve_fit

from .by_path import load_file

nist = load_file(Path(__file__).parents[1] / "bench" / "nist.py")


def box_bod(x, a, b):
    return a * (1 - np.exp(-b * x))


def chwirut(x, a, b, c):
    return np.exp(-a * x) / (b + c * x)


def dan_wood(x, a, b):
    return a * x**b


def eckerle(x, a, b, c):
    return a / b * np.exp(-0.5 * ((x - c) / b) ** 2)


def gauss(x, a, b, c, d, e, f, g, h):
    return a * np.exp(-b * x) + c * np.exp(-((x - d) ** 2) / e**2) + f * np.exp(-((x - g) ** 2) / h**2)


def lanczos(x, a, b, c, d, e, f):
    return a * np.exp(-b * x) + c * np.exp(-d * x) + e * np.exp(-f * x)


def mgh17(x, a, b, c, d, e):
    return a + b * np.exp(-x * d) + c * np.exp(-x * e)


def misra_b(x, a, b):
    return a * (1 - (1 + b * x / 2) ** -2.0)


def misra_d(x, a, b):
    return a * b * x / (1 + b * x)


def rat42(x, a, b, c):
    return a / (1 + np.exp(b - c * x))


def rat43(x, a, b, c, d):
    return a / (1 + np.exp(b - c * x)) ** (1 / d)


def roszman(x, a, b, c, d):
    return a - b * x - np.arctan(c / (x - d)) / np.pi


MODELS = {name: globals()[model.__name__] for name, model in nist.MODELS.items()}


def certified_deviations(name):
    header = (nist.DATA / f"{name}.dat").read_text("ascii")
    rows = re.findall(r"^\s*b\d+ =\s+\S+\s+\S+\s+\S+\s+(\S+)\s*$", header, re.MULTILINE)
    return np.array(rows, dtype=np.float64)


def digits(found, certified):
    """That agree in all entries, at most 11."""
    with np.errstate(divide="ignore"):
        return min(11.0, -math.log10(max(np.max(np.abs(found - certified) / np.abs(certified)), 1e-300)))


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", MODELS)
def test_parameters_to_8_digits_and_their_deviations_to_6(name, start):
    data = nist.read(name)
    popt, pcov, info, _, ier = curve_fit(
        MODELS[name], data.x, data.y, data.starts[start], ftol=2.3e-16, xtol=1e-14,
        gtol=2.3e-16, full_output=True,
    )  # fmt: skip
    assert digits(popt, data.certified) >= 8
    assert digits(np.sqrt(np.diag(pcov)), certified_deviations(name)) >= 6
    assert digits(np.sum(info["fvec"] ** 2), data.rss) >= (8 if name != "Lanczos2" else 5)  # whose sum is 2e-11
    assert 1 <= ier <= 4
    assert info["nfev"] <= 600
