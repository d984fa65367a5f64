"""The numbers of examples/textbook.py: what the textbooks' forms reach, and what the best method does."""

from pathlib import Path

import pytest

from .by_path import load_file

textbook = load_file(Path(__file__).parents[1] / "examples" / "textbook.py")
REACHED = {  # name: by the textbook's form, and at most by the best method
    "genetic algorithm": (0.66, 2e-5),
    "differential evolution": (9.0e-4, 2e-13),
    "particle swarm": (24.0, 15.0),
}


@pytest.mark.parametrize("name", textbook.TEXTBOOK)
def test_numbers_of_the_textbook(name):
    expected, most = REACHED[name]
    found, best = textbook.compare(name)
    assert found == pytest.approx(expected, rel=0.1) and best < most < found
