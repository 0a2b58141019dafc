"""Mini-batches: each example once per epoch, and a loader that can be stopped and continued in mid-epoch."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import DataLoader, TensorDataset, minibatches


@pytest.mark.row("S0-01")
@pytest.mark.parametrize(("n", "batch"), [(1, 1), (10, 3), (12, 4), (5, 9)])
def test_each_index_comes_exactly_once_per_epoch(n, batch, rng):
    parts = list(minibatches(n, batch, rng))
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))
    assert all(len(part) == batch for part in parts[:-1])
    whole = list(minibatches(n, batch, rng, drop_last=True))
    assert all(len(part) == batch for part in whole) and len(whole) == n // batch


@pytest.mark.row("S0-01")
def test_the_batch_gradients_of_one_partition_sum_to_the_full_gradient(rng):
    X, y = tn.data.line(1000, generator=rng, dtype=tn.float64)
    theta = tn.tensor(rng.normal(size=(2, 1)), requires_grad=True)

    def gradient(rows):
        theta.grad = None
        ((y[rows] - X[rows] @ theta)**2).sum().backward()
        return theta.grad.numpy()

    total = sum(gradient(tn.tensor(rows)) for rows in minibatches(1000, 64, rng))
    full = gradient(slice(None))
    assert np.abs(total - full).max() <= 1e-13 * np.abs(full).max()


def test_minibatches_takes_every_kind_of_stream():
    a, b = (np.concatenate(list(minibatches(9, 4, g))) for g in (3, tn.Generator(3)))
    np.testing.assert_array_equal(a, b)
    with pytest.raises(TypeError, match="generator: expected"):
        next(minibatches(9, 4, "seed"))
    with pytest.raises(ValueError, match="batch: expected at least 1, got 0"):
        next(minibatches(9, 0))
    with pytest.raises(TypeError, match="n: expected an int"):
        next(minibatches(9.5, 1))


def numbers(loader):
    return [x.tolist() for (x,) in loader]


@pytest.fixture
def ten():
    return TensorDataset(tn.arange(10))


def test_without_shuffle_items_come_in_order(ten):
    assert numbers(DataLoader(ten, 4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    loader = DataLoader(ten, 4, drop_last=True)
    assert numbers(loader) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(loader) == 2


def test_every_epoch_has_its_own_order_and_the_seed_repeats_them(ten):
    first, second = (DataLoader(ten, 4, shuffle=True, generator=5) for _ in range(2))
    epochs = [numbers(first) for _ in range(3)]
    assert epochs == [numbers(second) for _ in range(3)]
    assert epochs[0] != epochs[1]
    assert all(sorted(sum(epoch, [])) == list(range(10)) for epoch in epochs)


def test_without_a_generator_the_default_one_seeds_the_order(ten):
    tn.manual_seed(1)
    a = numbers(DataLoader(ten, 4, shuffle=True))
    tn.manual_seed(1)
    assert a == numbers(DataLoader(ten, 4, shuffle=True))


@pytest.mark.parametrize("stop", [0, 1, 2, 3])
def test_a_loader_stopped_in_mid_epoch_continues_exactly(ten, stop):
    straight = DataLoader(ten, 4, shuffle=True, generator=2)
    expected = numbers(straight) + numbers(straight) + numbers(straight)

    loader, seen = DataLoader(ten, 4, shuffle=True, generator=2), []
    seen += numbers(loader)
    epoch = iter(loader)
    seen += [next(epoch)[0].tolist() for _ in range(stop)]
    state = loader.state_dict()

    resumed = DataLoader(ten, 4, shuffle=True, generator=99)
    resumed.load_state_dict(state)
    seen += numbers(resumed)
    if stop == 0:
        assert resumed.position == 0
    seen += numbers(resumed)
    assert seen == expected


def test_leaving_a_loop_early_starts_a_new_epoch_next_time(ten):
    loader = DataLoader(ten, 4, shuffle=True, generator=0)
    for _ in loader:
        break
    assert sorted(sum(numbers(loader), [])) == list(range(10))


def test_a_state_that_does_not_fit_is_refused(ten):
    loader = DataLoader(ten, 4, shuffle=True, generator=2)
    next(iter(loader))
    state = loader.state_dict()
    for change, message in [({"size": 9}, "expected size 10, got 9"), ({"batch_size": 3}, "expected batch_size 4"),
                            ({"position": 4}, "position 4 is beyond"), ({"generator": None}, "shuffles"),
                            ({"order": tn.zeros(10, dtype=tn.int64)}, "no permutation")]:
        other = DataLoader(ten, 4, shuffle=True, generator=7)
        before = other.generator.get_state()
        with pytest.raises(ValueError, match=message):
            other.load_state_dict({**state, **change})
        assert other.position == 0 and (other.generator.get_state() == before).all()


def test_items_one_by_one_and_a_collate_function_of_ones_own():
    squares = [i * i for i in range(5)]
    assert [b.tolist() for b in DataLoader(squares, 2)] == [[0, 1], [4, 9], [16]]
    assert list(DataLoader(squares, 2, collate_fn=sum)) == [1, 13, 16]


@pytest.mark.parametrize(("options", "error", "message"), [
    ({"batch_size": 0}, ValueError, "batch_size: expected at least 1"),
    ({"batch_size": 2.0}, TypeError, "batch_size: expected an int"),
    ({"batch_size": 11, "drop_last": True}, ValueError, "no batch is left"),
    ({"generator": "x"}, TypeError, "generator: expected"),
])
def test_bad_options_are_refused(ten, options, error, message):
    with pytest.raises(error, match=message):
        DataLoader(ten, **options)


def test_an_empty_data_set_is_refused():
    with pytest.raises(ValueError, match="empty"):
        DataLoader([], 2)
