"""Random streams: an explicit `Generator` whose state can be saved, and the default one.

Numbers are drawn on the host by NumPy's counter-based Philox generator and then moved, so the
same seed gives the same numbers on every device.
"""
from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray


class Generator:
    """A stream of random numbers.

    Args:
        seed: int of any size, or None for entropy from the operating system.

    Example:
        >>> a, b = Generator(0), Generator(0)
        >>> float(a.host.random()) == float(b.host.random())
        True
    """

    __slots__ = ("_host", "_seed")

    def __init__(self, seed: int | None = None) -> None:
        self.manual_seed(seed)

    def manual_seed(self, seed: int | None) -> Self:
        """Restart the stream at `seed`; returns the generator.

        Raises:
            TypeError: `seed` is neither an int nor None.
        """
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
            raise TypeError(f"seed: expected an int or None, got {seed!r}")
        self._seed = int.from_bytes(os.urandom(16), "little") if seed is None else int(seed)
        self._host: np.random.Generator | None = None
        return self

    @property
    def host(self) -> np.random.Generator:
        """NumPy's generator, made when the first number is drawn: `numpy.random` takes its time to import."""
        if self._host is None:
            bits = np.random.Philox(abs(self._seed) * 2 + (self._seed < 0))
            self._host = np.random.Generator(bits)
        return self._host

    def initial_seed(self) -> int:
        """The number this stream was started from."""
        return self._seed

    def get_state(self) -> NDArray[np.uint64]:
        """The position of the stream as a uint64 array of 16 numbers, fit for a checkpoint."""
        state = self.host.bit_generator.state
        tail = [state["buffer_pos"], state["has_uint32"], state["uinteger"]]
        parts = [state["state"]["counter"], state["state"]["key"], state["buffer"], tail]
        flat = np.concatenate([np.asarray(part, dtype=np.uint64) for part in parts])
        return np.concatenate([flat, np.zeros(16 - flat.size, dtype=np.uint64)])

    def set_state(self, state: Any) -> None:
        """Move the stream to a position returned by `get_state`.

        Raises:
            ValueError: `state` is not 16 unsigned integers.
        """
        state = np.asarray(state)
        if state.shape != (16,) or state.dtype != np.uint64:
            raise ValueError(
                f"state: expected 16 numbers of dtype uint64, got shape {state.shape}, dtype {state.dtype}"
            )
        self.host.bit_generator.state = {
            "bit_generator": "Philox",
            "state": {"counter": state[0:4], "key": state[4:6]},
            "buffer": state[6:10],
            "buffer_pos": int(state[10]),
            "has_uint32": int(state[11]),
            "uinteger": int(state[12]),
        }

    def spawn(self, n: int) -> list[Generator]:
        """`n` independent generators, their seeds drawn from this one."""
        return [Generator(int(seed)) for seed in self.host.integers(0, 2**63, size=n)]

    def __repr__(self) -> str:
        return f"Generator(seed={self._seed})"


default_generator = Generator(0)


def manual_seed(seed: int | None) -> Generator:
    """Restart the default generator at `seed` and return it.

    Args:
        seed: an int, or None for entropy from the operating system.

    Returns:
        The default `Generator`.

    Example:
        >>> import tinygrad_notes as tn
        >>> first = tn.manual_seed(3) and tn.rand(2)
        >>> (first == (tn.manual_seed(3) and tn.rand(2))).all().item()
        True
    """
    return default_generator.manual_seed(seed)
