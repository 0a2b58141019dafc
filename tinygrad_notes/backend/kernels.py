"""Array functions that no array library offers ready-made, written once for every `xp`.

Each takes the namespace first: `xp.index_add(...)` calls `index_add(xp, ...)`.
"""


def kernel(function):
    """Mark `function(xp, ...)` as an array function of every device."""
    function.is_kernel = True
    return function


@kernel
def fill_like(xp, x, value):
    """An array like `x` (shape, dtype, device) filled with `value`."""
    return xp.full_like(x, value)
