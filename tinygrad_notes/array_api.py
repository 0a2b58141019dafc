"""What the Array API standard asks of a namespace besides its functions: constants, `bool`, information."""
import math

import numpy as np

from .backend import bool_, current_device, default_float, default_int, devices, dtypes, to_dtype
from .backend.dtypes import default_complex

__all__ = ["bool", "e", "inf", "nan", "newaxis", "pi"]

e, inf, nan, pi, newaxis = math.e, math.inf, math.nan, math.pi, None
bool = bool_

_KINDS = {
    "bool": "b", "signed integer": "i", "unsigned integer": "u", "integral": "iu", "real floating": "f",
    "complex floating": "c", "numeric": "iufc",
}


class NamespaceInfo:
    """What `tn.__array_namespace_info__()` returns: capabilities, devices and dtypes."""

    def capabilities(self):
        """What operations may do: masks and shapes that depend on values; as many axes as NumPy has."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self):
        """The device of new tensors."""
        return current_device()

    def default_dtypes(self, *, device=None):
        """The dtypes that Python numbers become."""
        return {"real floating": default_float, "complex floating": default_complex, "integral": default_int,
                "indexing": np.dtype(np.intp)}

    def devices(self):
        """The devices of this machine."""
        return devices()

    def dtypes(self, *, device=None, kind=None):
        """{name: dtype} of one kind, of several (a tuple), or of all.

        Raises:
            ValueError: the kind is unknown.
        """
        kinds = kind if isinstance(kind, tuple) else (kind,) if kind is not None else tuple(_KINDS)
        unknown = [k for k in kinds if k not in _KINDS]
        if unknown:
            raise ValueError(f"kind: {unknown[0]!r} is unknown; use one of {', '.join(_KINDS)}")
        letters = "".join(_KINDS[k] for k in kinds)
        return {d.name: d for d in dtypes.SUPPORTED if d.kind in letters and d != to_dtype("float16")}


def namespace_info():
    """Information on the namespace, as the standard's `__array_namespace_info__`."""
    return NamespaceInfo()
