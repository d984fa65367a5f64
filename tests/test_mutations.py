"""The tests against the transcriptions notice small wrong changes of the engine; slow, so THALWEG_SLOW_TESTS=1 only."""

import os

import pytest

from . import mutations

slow = pytest.mark.skipif("THALWEG_SLOW_TESTS" not in os.environ, reason="slow: needs THALWEG_SLOW_TESTS=1")


@pytest.mark.parametrize("mutation", mutations.MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_mutation_stands_for_one_place(mutation):
    """Quick, so that the table follows the source."""
    assert (mutations.PACKAGE / mutation.file).read_text().count(mutation.old) == 1
    assert mutation.old != mutation.new


@slow
def test_the_unchanged_engine_passes():
    assert not mutations.notices(None)


@slow
@pytest.mark.parametrize("mutation", mutations.MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_mutation_is_noticed(mutation):
    assert mutations.notices(mutation)
