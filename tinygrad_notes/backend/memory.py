"""Memory that is freed stays with the process, so that the next array reuses it.

By default glibc gives large blocks back to the kernel at once, and the page faults of getting them
again cost more than the arithmetic on them. `keep_freed(True)` (done when the package is imported)
raises the two thresholds; `keep_freed(False)` or `TINYGRAD_NOTES_KEEP_MEMORY=0` restores glibc's own.
"""

import ctypes
import os
import sys
from math import prod

import numpy as np

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_GLIBC_DEFAULT = 128 * 1024
_LINE = 64  # bytes
_KEEP_BELOW = (1 << 30, 1 << 25)  # keep blocks of up to 1 GiB; older glibc allows 32 MiB at most

_kept = None


def keep_freed(on=True):
    """Let the process keep freed array memory (or return to the C library's own behaviour).

    Args:
        on: True to keep, False for glibc's default thresholds of 128 KiB.

    Returns:
        Whether the setting took effect; False where the C library is not glibc.

    Example:
        >>> import tinygrad_notes as tn
        >>> done = tn.keep_freed(True)
    """
    global _kept
    libc = _glibc()
    if libc is None:
        return False
    sizes = _KEEP_BELOW if on else (_GLIBC_DEFAULT,)
    done = any(libc.mallopt(_M_MMAP_THRESHOLD, n) for n in sizes) and any(
        libc.mallopt(_M_TRIM_THRESHOLD, n) for n in sizes
    )
    if not on and hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    _kept = on if done else _kept
    return done


def keeps_freed():
    """Whether freed memory is being kept; None where it was never set.

    Returns:
        A bool, or None.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.keeps_freed() in (True, False, None)
        True
    """
    return _kept


def aligned_empty(shape, dtype):
    """A new host array that begins on a cache line: NumPy's loops store up to twice as fast into it."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    room = np.empty(size + _LINE, np.uint8)
    start = -room.__array_interface__["data"][0] % _LINE
    return room[start:start + size].view(dtype).reshape(shape)


def _glibc():
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL(None)
        libc.gnu_get_libc_version.restype = ctypes.c_char_p
        libc.gnu_get_libc_version()
        return libc
    except (OSError, AttributeError):
        return None


if os.environ.get("TINYGRAD_NOTES_KEEP_MEMORY", "1") != "0":
    keep_freed(True)
