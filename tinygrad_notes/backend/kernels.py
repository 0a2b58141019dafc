"""Array functions that no array library offers ready-made, written once for every `xp`.

Each takes the namespace first: `xp.fill_like(x, 0)` calls `fill_like(xp, x, 0)`. The forward of every
operation is registered here too, so that a gradient rule can call `xp.<operation>` on raw arrays.
"""
from collections.abc import Callable

KERNELS: dict[str, Callable] = {}   # looked up before the array libraries
FORWARDS: dict[str, Callable] = {}  # the forwards of operations, looked up after them


def kernel(function):
    """Make `function(xp, ...)` an array function of every device."""
    KERNELS[function.__name__] = function
    return function
