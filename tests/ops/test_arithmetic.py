"""Operands of every kind; powers at their edges; dtypes of mixed operands."""
import numpy as np
import pytest

import tinygrad_notes as tn


def slope(call, value):
    x = tn.Tensor(np.array(value), requires_grad=True)
    call(x).backward()
    return x.grad.item()


# Powers -------------------------------------------------------------------------------
@pytest.mark.parametrize("n, expected", [(0, 0.0), (1, 1.0), (2, 0.0), (3, 0.0), (1.5, 0.0), (2.0, 0.0)])
def test_slope_of_a_power_at_zero(n, expected):
    assert slope(lambda x: x ** n, 0.0) == expected
    assert slope(lambda x: x ** tn.Tensor(np.array(float(n))), 0.0) == expected


def test_slope_in_the_exponent_at_base_zero():
    for exponent in (0.0, 1.0, 2.5):
        assert slope(lambda y: tn.pow(tn.Tensor(np.array(0.0)), y), exponent) == 0.0


def test_mixed_second_derivative_at_exponent_zero():
    """d/dy of d(x^y)/dx = d/dy (y x^(y-1)) is 1/x at y = 0."""
    x, y = (tn.Tensor(np.array(v), requires_grad=True) for v in (4.0, 0.0))
    first, = tn.autograd.grad(tn.pow(x, y), x, create_graph=True)
    assert tn.autograd.grad(first, y)[0].item() == 0.25


@pytest.mark.parametrize("n", [-7, -3, -1, 0, 1, 2, 3, 4, 5, 31, 64, 65, 0.5, -0.5, 2.5])
def test_number_and_tensor_exponents_agree(n):
    x = np.array([0.9, 1.1, 1.3])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose((tn.Tensor(x) ** n).numpy(), x ** n, rtol=1e-13)
        np.testing.assert_allclose((tn.Tensor(x) ** tn.Tensor(np.full(3, float(n)))).numpy(), x ** n, rtol=1e-13)
    assert slope(lambda x: x ** n, 1.3) == pytest.approx(n * 1.3 ** (n - 1), rel=1e-12)


def test_negative_base_with_whole_exponents():
    x = tn.tensor([-2.0], requires_grad=True)
    y = x ** 3
    y.backward()
    assert y.item() == -8.0 and x.grad.item() == 12.0


def test_infinite_exponent():
    np.testing.assert_array_equal((tn.tensor([0.5, 2.0]) ** float("inf")).numpy(), [0.0, np.inf])


def test_integers_to_negative_powers_raise():
    with pytest.raises(ValueError, match="pow"):
        tn.tensor([2, 3]) ** -1
    np.testing.assert_allclose((tn.tensor([2, 4]) ** -1.0).numpy(), [0.5, 0.25])


# Operands -----------------------------------------------------------------------------
def test_two_numbers_give_a_tensor_of_the_default_dtype():
    assert tn.add(1, 2).dtype == tn.int64 and tn.add(1, 2).item() == 3
    assert tn.multiply(1.5, 2).dtype == tn.float32 and tn.divide(1, 2).item() == 0.5
    assert tn.maximum(1, 2.0).item() == 2.0 and tn.pow(2.0, 3.0).item() == 8.0


@pytest.mark.parametrize("number", [2, 2.0, True, np.float64(2.0), np.float32(2.0), np.int64(2)])
@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "//", "%", "**"])
def test_numbers_are_weak_on_both_sides(number, symbol):
    x = tn.tensor([3.0, 5.0])
    for text in (f"x {symbol} number", f"number {symbol} x"):
        found, expected = (eval(text, {"x": v, "number": number}) for v in (x, x.numpy()))
        assert found.dtype == tn.float32, text
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("left", ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("right", ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"])
def test_dtype_of_mixed_operands(left, right):
    a, b = tn.Tensor(np.ones(2, left)), tn.Tensor(np.ones(2, right))
    floats = [d for d in (a.dtype, b.dtype) if d.kind == "f"]
    expected = max(floats, key=lambda d: d.itemsize) if floats else np.result_type(left, right)
    for name in ("add", "multiply", "maximum"):
        assert getattr(tn, name)(a, b).dtype == expected, name
    assert (a / b).dtype == (expected if floats else tn.float32)
    assert tn.atan2(a, b).dtype == (expected if floats else tn.float32)
    assert tn.result_type(a, b) == expected


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64"])
def test_functions_of_small_integers_are_computed_in_float32(dtype):
    x = np.array([0, 1], dtype)
    for name in ("sin", "exp", "sqrt", "sigmoid", "erf", "log1p", "atan"):
        out = getattr(tn, name)(tn.Tensor(x))
        assert out.dtype == tn.float32, name
        np.testing.assert_allclose(out.numpy(), getattr(tn, name)(tn.Tensor(x.astype("float64"))).numpy(), rtol=1e-6)


# Operators ----------------------------------------------------------------------------
class Other:
    def __radd__(self, other):
        return "radd"

    def __lt__(self, other):
        return "lt"


def test_what_is_not_a_number_is_left_to_the_other_operand():
    x = tn.tensor([1.0])
    assert (x == None) is False and (x != None) is True  # noqa: E711
    assert (x == "text") is False
    assert x + Other() == "radd" and (x > Other()) == "lt"
    for text in ("x + None", "None * x", "x < None", "x ** 'a'", "x @ None"):
        with pytest.raises(TypeError):
            eval(text, {"x": x})


def test_errors_name_the_operation_and_the_operands():
    with pytest.raises(ValueError, match=r"add: .*\(2,\).*\(3,\)"):
        tn.zeros(2) + tn.zeros(3)
    with pytest.raises(TypeError, match="bitwise_and.*float32"):
        tn.zeros(2) & 1


def test_divmod_and_round():
    whole, rest = divmod(tn.tensor([7.0, -7.0]), 2)
    assert whole.tolist() == [3.0, -4.0] and rest.tolist() == [1.0, 1.0]
    assert round(tn.tensor([1.26]), 1).item() == pytest.approx(1.3)


def test_parts_of_complex_numbers():
    z = tn.tensor([1.0 + 2.0j])
    assert z.real.item() == 1.0 and z.imag.item() == 2.0 and tn.conj(z).item() == 1.0 - 2.0j
