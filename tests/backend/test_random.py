"""The random stream: seeds, its state as an array fit for a checkpoint, independent children."""
import copy

import numpy as np
import pytest

import tinygrad_notes as tn


def numbers(generator, n=5):
    return generator.host.random(n).tolist()


def test_a_seed_determines_the_stream():
    assert numbers(tn.Generator(3)) == numbers(tn.Generator(3)) != numbers(tn.Generator(4))
    assert numbers(tn.Generator()) != numbers(tn.Generator())
    g = tn.Generator(3)
    numbers(g)
    assert numbers(g.manual_seed(3)) == numbers(tn.Generator(3))
    assert g.manual_seed(3) is g


@pytest.mark.parametrize("seed", [0, 1, -1, 2 ** 31, 2 ** 64 - 1, 2 ** 200, np.int64(7)])
def test_ints_of_any_size_and_sign_are_seeds(seed):
    assert numbers(tn.Generator(seed)) == numbers(tn.Generator(int(seed)))


def test_seeds_of_either_sign_differ():
    streams = [tuple(numbers(tn.Generator(seed))) for seed in range(-20, 20)]
    assert len(set(streams)) == 40


@pytest.mark.parametrize("seed", [1.0, "1", True, [1]])
def test_what_is_no_seed(seed):
    with pytest.raises(TypeError, match="seed: expected an int or None"):
        tn.Generator(seed)


@pytest.mark.parametrize("used", [0, 1, 2, 3, 7])
def test_state_goes_through_an_array_and_back(used):
    g = tn.Generator(5)
    g.host.standard_normal(used)
    g.host.integers(0, 9, used, dtype="int32")  # half words stay in the buffer
    state = g.get_state()
    assert state.dtype == np.uint64 and state.shape == (16,)
    expected = [numbers(g), g.host.integers(0, 9, 5, dtype="int32").tolist(), g.host.permutation(6).tolist()]
    other = tn.Generator(6)
    other.set_state(copy.deepcopy(state))
    assert [numbers(other), other.host.integers(0, 9, 5, dtype="int32").tolist(),
            other.host.permutation(6).tolist()] == expected
    np.testing.assert_array_equal(other.get_state(), g.get_state())


def test_taking_the_state_moves_nothing():
    g = tn.Generator(5)
    state = g.get_state()
    kept = state.copy()
    numbers(g)
    np.testing.assert_array_equal(state, kept)
    assert not np.array_equal(g.get_state(), kept)


@pytest.mark.parametrize("state", [np.zeros(15, np.uint64), np.zeros(16), np.zeros((16, 1), np.uint64), [1, 2]])
def test_what_is_no_state_leaves_the_stream(state):
    g = tn.Generator(5)
    before = g.get_state()
    with pytest.raises(ValueError, match="16 numbers of dtype uint64"):
        g.set_state(state)
    np.testing.assert_array_equal(g.get_state(), before)


def test_spawned_generators_are_independent_and_reproducible():
    first, again = tn.Generator(2).spawn(3), tn.Generator(2).spawn(3)
    streams = [numbers(g) for g in first]
    assert streams == [numbers(g) for g in again]
    assert len({tuple(s) for s in streams}) == 3


def test_the_default_generator_is_restarted_by_manual_seed():
    assert tn.manual_seed(12) is tn.default_generator
    assert numbers(tn.default_generator) == numbers(tn.Generator(12))


def test_the_seed_can_be_read_back():
    for seed in (41, -3, 0):
        assert tn.Generator(seed).initial_seed() == seed and repr(tn.Generator(seed)) == f"Generator(seed={seed})"
    g = tn.Generator()
    assert numbers(tn.Generator(g.initial_seed())) == numbers(g)
