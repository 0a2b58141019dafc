"""Linear algebra: the `linalg` extension of the Array API standard 2024.12, and what is commonly needed beside it.

All functions work on batches: leading axes are carried along, and broadcast where there are several inputs.
"""
from ..arrange import matrix_transpose
from ..contract import matmul, outer, tensordot, vecdot
from ..products import cross
from .determinant import *  # noqa: F403
from .factor import *  # noqa: F403
from .norms import *  # noqa: F403
from .parts import *  # noqa: F403
from .patterns import *  # noqa: F403
from .powers import *  # noqa: F403
from .solve import *  # noqa: F403
from .spectral import *  # noqa: F403

__all__ = [  # noqa: F405
    "cholesky", "cholesky_inverse", "cholesky_solve", "cond", "convolution_matrix", "cross", "det", "diagonal", "eig",
    "eigh", "eigvals", "eigvalsh", "inv", "logdet", "lstsq", "matmul", "matrix_exp", "matrix_norm", "matrix_power",
    "matrix_rank", "matrix_transpose", "multi_dot", "norm", "outer", "pinv", "qr", "slogdet", "solve",
    "solve_triangular", "svd", "svdvals", "tensordot", "tensorinv", "tensorsolve", "toeplitz", "trace", "vander",
    "vecdot", "vector_norm",
    "EighResult", "EigResult", "LstsqResult", "QRResult", "SlogdetResult", "SVDResult",
]
