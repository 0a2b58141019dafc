"""What went wrong in an operation, said with its inputs: shapes, dtypes and devices."""
from ..backend import device_of
from .tensor import Tensor


def describe(value):
    """An operand in a few words: `float32 (2, 3)`."""
    if isinstance(value, Tensor):
        value = value.data
    device = device_of(value)
    if device is None:
        return repr(value) if len(repr(value)) <= 40 else type(value).__name__
    where = "" if device.name == "cpu" else f" on {device}"
    return f"{value.dtype} {tuple(value.shape)}{where}"


def plain_words(error):
    """What an error of an array library says, in NumPy's words on every device."""
    message = str(error)
    return message[0].lower() + message[1:] if message.startswith("Index ") else message


def explain(op, operands, error, attrs=None):
    """An exception of the same kind as `error` that names the operation and its operands."""
    more = range(len(op.inputs), len(operands)) if op.variadic else ()
    names = [*op.inputs, *(f"#{i}" for i in more)]
    given = ", ".join(f"{name}: {describe(value)}" for name, value in zip(names, operands))
    with_attrs = "".join(f", {key}={value!r}" for key, value in (attrs or {}).items() if len(repr(value)) <= 60)
    kinds = (IndexError, TypeError, OverflowError, MemoryError, ZeroDivisionError, NotImplementedError, KeyError)
    kind = next((k for k in kinds if isinstance(error, k)), ValueError)
    if type(error).__name__ == "LinAlgError":
        kind = type(error)
    elif not isinstance(error, (ValueError, ArithmeticError, *kinds)):
        kind = RuntimeError
    message = plain_words(error)
    if "could not be broadcast" in message:
        message = "the shapes do not broadcast"
    homes = {str(device_of(v.data)) for v in operands if isinstance(v, Tensor)}
    if len(homes) > 1:
        kind = TypeError
        message = f"inputs live on different devices, {' and '.join(sorted(homes))}; move one with .to()"
    if isinstance(error, Warning):
        return error
    if message.startswith(f"{op.name}:"):
        return kind(message)
    return kind(f"{op.name}: {message} ({given}{with_attrs})")
