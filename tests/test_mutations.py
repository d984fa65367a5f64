"""The tests against the transcriptions notice small wrong changes of the engine: the starred ones of mutations.txt."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from . import mutations

MARKED = [mutation for mutation in mutations.MUTATIONS if mutation.marked]


def by_name(chosen):
    return pytest.mark.parametrize("mutation", chosen, ids=lambda mutation: mutation.name)


@by_name(mutations.MUTATIONS)
def test_each_mutation_stands_for_one_place(mutation):
    """Quick, so that the table follows the source."""
    assert (mutations.PACKAGE / mutation.file).read_text("utf-8").count(mutation.old) == 1
    assert mutation.old != mutation.new


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One folder of compiled code for all of them."""
    return tmp_path_factory.mktemp("compiled")


@pytest.mark.long
def test_the_unchanged_engine_passes(cache):
    assert not mutations.notices(None, mutations.PACKAGE, cache)


@pytest.mark.long
def test_each_marked_mutation_is_noticed(cache):
    def notices(mutation):
        return mutations.notices(mutation, mutations.PACKAGE, cache)

    with ThreadPoolExecutor(2) as pool:  # processes, two at a time
        noticed = list(pool.map(notices, MARKED))
    assert [mutation.name for mutation, seen in zip(MARKED, noticed) if not seen] == []
