"""The array functions of a device, found by name: what gradient rules know as `xp`."""
from functools import partial
from importlib import import_module

from .kernels import FORWARDS, KERNELS


class Namespace:
    """Looks a function up in our kernels, the device's array libraries, then our operations, and keeps it.

    `xp.sin` is `numpy.sin` on the CPU and `cupy.sin` on a GPU; kernels and forwards of operations come
    with `xp` bound. Libraries are named by strings and imported when first needed.
    """

    def __init__(self, *libraries, renamed=None, own=None):
        self._libraries = libraries
        self._renamed = renamed or {}  # name here -> name in the library
        self._own = own or {}          # functions of this device alone

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = self._find(name)
        setattr(self, name, found)
        return found

    def _find(self, name):
        if name in self._own:
            return self._own[name]
        if name in KERNELS:
            return partial(KERNELS[name], self)
        for library in self._libraries:
            library = import_module(library)
            found = getattr(library, name, None)
            if found is None and name in self._renamed:
                found = getattr(library, self._renamed[name], None)
            if found is not None:
                return found
        if name in FORWARDS:
            return partial(FORWARDS[name], self)
        raise AttributeError(f"no array function {name!r} in {', '.join(self._libraries)}")
