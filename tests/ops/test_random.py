"""Random tensors: reproducible, of the right distribution, dtype and device; and what is refused."""
import numpy as np
import pytest
import scipy.stats

import tinygrad_notes as tn

N = 20_000


def host(t):
    return t.device.to_numpy(t.data)


DRAWS = {
    "normal": lambda g, **kw: tn.normal((3, 4), 1.0, 2.0, generator=g, **kw),
    "randn": lambda g, **kw: tn.randn(3, 4, generator=g, **kw),
    "uniform": lambda g, **kw: tn.uniform((5,), -1, 3, generator=g, **kw),
    "rand": lambda g, **kw: tn.rand((2, 2), generator=g, **kw),
    "exponential": lambda g, **kw: tn.exponential((4,), 2.0, generator=g, **kw),
    "gamma": lambda g, **kw: tn.gamma((4,), 2.0, 3.0, generator=g, **kw),
    "randint": lambda g, **kw: tn.randint(-3, 30, (6,), generator=g, **kw),
    "bernoulli": lambda g, **kw: tn.bernoulli(0.3, (20,), generator=g, **kw),
    "permutation": lambda g, **kw: tn.permutation(9, generator=g, **kw),
    "randperm": lambda g, **kw: tn.randperm(9, generator=g, **kw),
    "choice": lambda g, **kw: tn.choice(9, (2, 3), generator=g, **kw),
}


@pytest.mark.parametrize("name", DRAWS)
def test_one_seed_one_result_on_every_device(name):
    draw = DRAWS[name]
    first = draw(tn.Generator(5))
    assert first.device == tn.current_device()
    for device in ("cpu", "strict"):
        again = draw(tn.Generator(5), device=device)
        assert again.device == device
        np.testing.assert_array_equal(host(again), host(first))
    other = draw(tn.Generator(6))
    assert other.shape == first.shape and not np.array_equal(host(other), host(first))


@pytest.mark.parametrize("name", DRAWS)
def test_default_generator_is_the_one_that_manual_seed_starts(name):
    tn.manual_seed(11)
    first, second = DRAWS[name](None), DRAWS[name](None)
    tn.manual_seed(11)
    np.testing.assert_array_equal(host(DRAWS[name](None)), host(first))
    assert not np.array_equal(host(first), host(second))
    np.testing.assert_array_equal(host(DRAWS[name](tn.Generator(11))), host(first))


@pytest.mark.parametrize("name", DRAWS)
def test_a_restored_state_continues_the_stream(name):
    g = tn.Generator(3)
    DRAWS[name](g)
    tn.randint(0, 5, (3,), generator=g, dtype="int32")  # leaves half a word in the buffer
    state = g.get_state()
    expected = [host(DRAWS[name](g)) for _ in range(3)]
    fresh = tn.Generator(99)
    fresh.set_state(state)
    for want in expected:
        np.testing.assert_array_equal(host(DRAWS[name](fresh)), want)


@pytest.mark.parametrize("name", ["normal", "randn", "uniform", "rand", "exponential", "gamma", "bernoulli"])
def test_floating_dtypes(name):
    assert DRAWS[name](None).dtype == "float32"
    for dtype in ("float16", "float32", "float64"):
        assert DRAWS[name](None, dtype=dtype).dtype == dtype


@pytest.mark.parametrize("name", ["normal", "uniform", "exponential", "gamma"])
def test_integer_dtypes_are_refused(name):
    with pytest.raises(TypeError, match="floating"):
        DRAWS[name](None, dtype="int64")


def test_float32_is_drawn_as_float32():
    stream = np.random.Generator(np.random.Philox(np.random.SeedSequence(8).entropy))
    expected = stream.standard_normal(6, dtype="float32")
    np.testing.assert_array_equal(host(tn.randn(6, generator=tn.Generator(4))), expected)


@pytest.mark.parametrize("draw, law", [
    (lambda: tn.normal((N,), 1.0, 2.0), scipy.stats.norm(1, 2).cdf),
    (lambda: tn.randn(N, dtype="float64"), scipy.stats.norm().cdf),
    (lambda: tn.uniform((N,), -1, 3), scipy.stats.uniform(-1, 4).cdf),
    (lambda: tn.rand(N), scipy.stats.uniform().cdf),
    (lambda: tn.exponential((N,), 2.0), scipy.stats.expon(scale=0.5).cdf),
    (lambda: tn.gamma((N,), 2.5, 3.0), scipy.stats.gamma(2.5, scale=1 / 3).cdf),
], ids=["normal", "randn", "uniform", "rand", "exponential", "gamma"])
def test_distribution(draw, law):
    assert scipy.stats.kstest(host(draw()), law).pvalue > 1e-3


def test_randint_is_uniform_and_stays_inside():
    drawn = host(tn.randint(-2, 3, (N,)))
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2] and drawn.dtype == np.int64
    assert scipy.stats.chisquare(counts).pvalue > 1e-3
    assert tn.randint(7, shape=(2, 2)).shape == (2, 2) and host(tn.randint(2, (50,))).max() == 1
    assert tn.randint(0, 200, (3,), dtype="uint8").dtype == "uint8"
    assert tn.randint(0, 9, (3,), dtype="float32").dtype == "float32"


def test_uniform_never_reaches_its_end():
    low, high = 1.0, np.nextafter(np.float32(1), np.float32(2))
    assert (host(tn.uniform((1000,), low, float(high))) == 1).all()
    drawn = host(tn.uniform((N,), 0.0, 1e-3))
    assert drawn.min() >= 0 and drawn.max() < np.float32(1e-3)


def test_bernoulli_of_a_tensor_and_at_the_ends():
    p = tn.tensor([0.0, 1.0, 0.25], dtype="float64", requires_grad=True)
    drawn = tn.bernoulli(p, (N, 3))
    means = host(drawn).mean(axis=0)
    assert means[0] == 0 and means[1] == 1 and abs(means[2] - 0.25) < 0.02
    assert drawn.dtype == "float64" and not drawn.requires_grad and tn.bernoulli(p).shape == (3,)
    for bad in (1.5, -0.1, float("nan"), tn.tensor([0.5, 2.0])):
        with pytest.raises(ValueError, match="between 0 and 1"):
            tn.bernoulli(bad, (2,))
    with pytest.raises(ValueError, match="broadcast"):
        tn.bernoulli(p, (2,))


def test_permutation_of_a_tensor():
    x = tn.tensor(np.arange(12.0).reshape(4, 3), requires_grad=True)
    rows = tn.permutation(x)
    assert sorted(host(rows)[:, 0].tolist()) == [0, 3, 6, 9]
    columns = tn.permutation(x, axis=1)
    assert sorted(host(columns)[0].tolist()) == [0, 1, 2]
    (rows * rows).sum().backward()
    np.testing.assert_array_equal(host(x.grad), 2 * host(x))
    orders = {tuple(tn.permutation(3).tolist()) for _ in range(200)}
    assert len(orders) == 6


def test_choice():
    drawn = host(tn.choice(4, (N,), p=[0.1, 0.0, 0.6, 0.3]))
    counts = np.bincount(drawn, minlength=4)
    assert counts[1] == 0
    assert scipy.stats.chisquare(counts[[0, 2, 3]], N * np.array([0.1, 0.6, 0.3])).pvalue > 1e-3
    assert sorted(tn.choice(5, (5,), replace=False).tolist()) == [0, 1, 2, 3, 4]
    x = tn.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    sample = host(tn.choice(x, (4, 2)))
    assert sample.shape == (4, 2, 2) and (sample[..., 1] - sample[..., 0] == 1).all()
    assert tn.choice(x, (5,), axis=1).shape == (3, 5) and tn.choice(x).shape == (2,)
    with pytest.raises(ValueError, match="without replacement"):
        tn.choice(3, (4,), replace=False)
    for p in ([0.5, 0.5], [0.5, 0.4, 0.2], [-0.5, 1.0, 0.5]):
        with pytest.raises(ValueError, match="3 probabilities"):
            tn.choice(3, (2,), p=p)
    with pytest.raises(ValueError, match="of 0 entries"):
        tn.choice(0, (2,))


def test_multinomial():
    weights = tn.tensor([[0.0, 1.0, 3.0], [2.0, 0.0, 0.0]])
    drawn = host(tn.multinomial(weights, 4000, replacement=True))
    assert drawn.shape == (2, 4000) and set(drawn[0]) == {1, 2} and set(drawn[1]) == {0}
    assert abs((drawn[0] == 2).mean() - 0.75) < 0.03
    assert sorted(tn.multinomial(tn.tensor([1.0, 1.0, 1.0]), 3).tolist()) == [0, 1, 2]
    with pytest.raises(ValueError, match="positive weights"):
        tn.multinomial(weights, 2)
    for bad in ([-1.0, 2.0], [0.0, 0.0], [float("nan"), 1.0]):
        with pytest.raises(ValueError, match="weights"):
            tn.multinomial(tn.tensor(bad), 1)


@pytest.mark.parametrize("draw, message", [
    (lambda: tn.normal((2,), std=-1.0), "std"), (lambda: tn.normal((2,), std=float("nan")), "std"),
    (lambda: tn.uniform((2,), 1.0, 0.0), "low <= high"), (lambda: tn.randint(3, 3), "low < high"),
    (lambda: tn.exponential((2,), 0.0), "rate"), (lambda: tn.gamma((2,), -1.0), "concentration"),
    (lambda: tn.permutation(-1), "negative"), (lambda: tn.rand(-2), "negative"),
])
def test_bad_parameters_leave_the_stream_where_it_was(draw, message):
    before = tn.default_generator.get_state()
    with pytest.raises(ValueError, match=message):
        draw()
    np.testing.assert_array_equal(tn.default_generator.get_state(), before)


def test_a_numpy_generator_is_refused():
    with pytest.raises(TypeError, match="generator: expected a Generator"):
        tn.randn(2, generator=np.random.default_rng(0))


def test_like_another_tensor():
    x = tn.zeros((2, 3), dtype="float64", device="strict")
    for made in (tn.randn_like(x), tn.rand_like(x)):
        assert made.shape == (2, 3) and made.dtype == "float64" and made.device == "strict"
    assert tn.randn_like(x, dtype="float32", device="cpu", requires_grad=True).requires_grad


def test_bernoulli_of_one_probability():
    x = tn.bernoulli(tn.tensor(1.0))
    assert x.shape == () and x.device == tn.current_device() and x.dtype == "float32" and x.item() == 1.0
