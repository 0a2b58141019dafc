"""PyTorch's other names of dtypes."""
from ..backend import complex64, complex128, float16, float32, float64, int16, int32, int64

__all__ = ["cdouble", "cfloat", "double", "float", "half", "int", "long", "short"]

float, double, half = float32, float64, float16
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128
