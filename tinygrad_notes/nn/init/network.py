"""Initial values that depend on data: each layer is scaled by what it gives for a batch."""
import math

from ...autograd import no_grad
from ...ops import mean, square
from .common import number
from .structured import orthogonal_

__all__ = ["lsuv_"]


def lsuv_(model, *inputs, layers=None, tolerance=0.01, iterations=10, orthogonal=True, generator=None):
    """Scale the weights of a network, layer by layer, until the output of each has unit variance for a batch.

    Formula: W = Q at first (`orthogonal_`), then for one layer after the other, in the order in which they are called:
        W <- W / std(output) until |std^2 - 1| < tolerance, over all rows and units of the output.

    Args:
        model: a Module.
        *inputs: what it is called with: a batch of data.
        layers: which modules count, a class or a tuple of classes; default: all that have a weight of two or more
            axes and no submodules, but tables of embeddings.
        tolerance: > 0.
        iterations: the most steps per layer; biases and layers used twice may need more than one.
        orthogonal: whether to begin with orthogonal weights; else with those that are there.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        A list of (path, variance of the output), in the order of the calls.

    Raises:
        ValueError: the model calls no such layer, the output of one is constant or not finite, or a number is out of
            range; the layers before it have been scaled then.

    Source: Mishkin and Matas 2016, "All you need is a good init", algorithm 1 (layer-sequential unit variance).

    Example:
        >>> import tinygrad_notes as tn
        >>> net = tn.nn.MLP([4, 50, 50, 1])
        >>> found = tn.nn.init.lsuv_(net, tn.randn(200, 4))
        >>> all(abs(variance - 1) < 0.01 for path, variance in found)
        True
    """
    tolerance = number("tolerance", tolerance)
    if tolerance <= 0 or iterations.__class__ is not int or iterations < 1:
        raise ValueError(f"lsuv_: expected tolerance > 0 and an integer iterations > 0, got {tolerance!r} and "
                         f"{iterations!r}")
    kept = [(buffer, buffer.data.copy()) for buffer in model.buffers()]  # running statistics
    try:
        with no_grad():
            called = _called(model, inputs, layers)
            if orthogonal:
                for _, layer in called:
                    orthogonal_(layer.weight, generator=generator)
            return [(path, _scale(model, inputs, path, layer, tolerance, iterations)) for path, layer in called]
    finally:
        for buffer, data in kept:
            buffer.data = data


def _counts(module, layers):
    """Whether a module is one whose weight is scaled."""
    from ..embedding import Embedding, EmbeddingBag

    if layers is not None:
        return isinstance(module, layers)
    weight = getattr(module, "weight", None)
    return (getattr(weight, "ndim", 0) > 1 and not any(True for _ in module.children())
            and not isinstance(module, (Embedding, EmbeddingBag)))


def _called(model, inputs, layers):
    """[(path, module)] of the layers in the order of their first call."""
    found, handles = {}, []
    for path, module in model.named_modules():
        if _counts(module, layers):
            handles.append(module.register_forward_hook(
                lambda module, args, out, path=path: found.setdefault(path, module) and None))
    try:
        model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    if not found:
        raise ValueError(f"lsuv_: model: {type(model).__name__} called no layer with a weight")
    return list(found.items())


def _scale(model, inputs, path, layer, tolerance, iterations):
    """Divide the weight of one layer until its output has unit variance; returns the variance."""
    seen = []
    handle = layer.register_forward_hook(lambda module, args, out: seen.append(out))
    try:
        for left in range(iterations, -1, -1):
            seen.clear()
            model(*inputs)
            out = seen[0]
            variance = mean(square(out - mean(out))).item()
            if not 0 < variance < math.inf:
                raise ValueError(f"lsuv_: the output of layer {path!r} has no variance to divide by: {variance:.3g}")
            if abs(variance - 1) < tolerance or not left:
                return variance
            layer.weight.data[...] = (layer.weight / math.sqrt(variance)).data
    finally:
        handle.remove()
