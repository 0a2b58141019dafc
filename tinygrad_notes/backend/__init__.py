"""Arrays, devices, data types, random streams: everything that differs between machines.

Layers above see three things: a `Device` with its array functions (`device.xp`),
the data types, and the random `Generator`.
"""
from . import bfloat as _bfloat  # noqa: F401 (defines kernels)
from . import conv as _conv  # noqa: F401
from . import elementwise as _elementwise  # noqa: F401
from . import normalize as _normalize  # noqa: F401
from . import pooling as _pooling  # noqa: F401
from . import pooling_sum as _pooling_sum  # noqa: F401
from . import resample as _resample  # noqa: F401
from . import scatter as _scatter  # noqa: F401
from . import segments as _segments  # noqa: F401
from .device import Device, as_device, current_device, device_of, devices, namespace_of
from .dtypes import (
    bool_,
    complex64,
    complex128,
    default_float,
    default_int,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    is_complex,
    is_floating,
    is_integer,
    to_dtype,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .memory import keep_freed, keeps_freed
from .random import Generator, default_generator, manual_seed
from .threads import get_num_threads, set_num_threads

__all__ = [
    "Device", "Generator", "as_device", "bool_", "complex64", "complex128", "current_device",
    "default_float", "default_generator", "default_int", "device_of", "devices", "float16", "float32",
    "float64", "get_num_threads", "int8", "int16", "int32", "int64", "is_complex", "is_floating", "is_integer",
    "keep_freed", "keeps_freed", "manual_seed", "namespace_of", "set_num_threads", "to_dtype", "uint8", "uint16",
    "uint32", "uint64",
]
