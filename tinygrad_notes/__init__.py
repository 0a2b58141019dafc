from .autograd import *
from .autograd import Tensor, no_grad
from .ops import *
from . import ops
Tensor.__add__ = ops.add
Tensor.__radd__ = lambda x, y: ops.add(y, x)
Tensor.__mul__ = ops.multiply
Tensor.__rmul__ = lambda x, y: ops.multiply(y, x)
Tensor.__truediv__ = ops.divide
Tensor.__neg__ = ops.negative
Tensor.backward = backward
def tensor(data, requires_grad=False): return Tensor(data, requires_grad)
