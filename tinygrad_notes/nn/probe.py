"""What initialization does to a network: the spread of activations and of gradients, layer by layer."""
from ..autograd import Tensor, enable_grad, grad, no_grad
from ..ops import mean, sum
from .linear import Linear

__all__ = ["gradient_trace", "preactivation_stats", "variance_trace"]


def _run(model, inputs, layers):
    """Call the model in evaluation mode; its output and [(path, output of the layer)] in the order of the calls."""
    seen = []
    names = {module: path for path, module in model.named_modules() if isinstance(module, layers)}
    handles = [module.register_forward_hook(lambda m, _, out: seen.append((names[m], out))) for module in names]
    try:
        with model.evaluating():
            output = model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    if not seen:
        wanted = ", ".join(k.__name__ for k in (layers if isinstance(layers, tuple) else (layers,)))
        raise ValueError(f"model: {type(model).__name__} called no layer of type {wanted}")
    return output, seen


def _moments(values):
    m = mean(values)
    return m.item(), mean((values - m) * (values - m)).item()


def preactivation_stats(model, *inputs, layers=Linear):
    """Mean and variance of every affine layer's output: the pre-activations f^k.

    Formula: mean_k = E[f^k_i], var_k = E[(f^k_i - mean_k)^2], over all units and rows. With zero-mean weights that do
        not depend on the input, and b = 0, E[f^k_i] = 0.

    Args:
        model: a Module.
        *inputs: what it is called with.
        layers: which modules count, a class or a tuple of classes.

    Returns:
        A list of dicts with `layer` (path), `mean` and `var`, in the order of the calls.

    Raises:
        ValueError: the model calls none of these layers.

    Source: the notes, equations 1.15 and 1.16.

    Example:
        >>> import tinygrad_notes as tn
        >>> net = tn.nn.MLP([4, 8, 1])
        >>> [row["layer"] for row in tn.nn.preactivation_stats(net, tn.randn(16, 4))]
        ['0', '2']
    """
    with no_grad():
        _, seen = _run(model, inputs, layers)
        rows = []
        for path, out in seen:
            m, v = _moments(out)
            rows.append({"layer": path, "mean": m, "var": v})
    return rows


def variance_trace(model, *inputs, layers=Linear):
    """The variance of the pre-activations from the first layer to the last.

    Formula: with ReLU between them and weights of variance s_k, var_k = D s_k var_(k-1) / 2, D the width of the layer
        before.

    Args:
        model: a Module.
        *inputs: what it is called with.
        layers: which modules count, a class or a tuple of classes.

    Returns:
        A list of floats, one per layer.

    Raises:
        ValueError: the model calls none of these layers.

    Source: the notes, equation 1.16.

    Example:
        >>> import tinygrad_notes as tn
        >>> len(tn.nn.variance_trace(tn.nn.MLP([4, 8, 8, 1]), tn.randn(16, 4)))
        3
    """
    return [row["var"] for row in preactivation_stats(model, *inputs, layers=layers)]


def gradient_trace(model, *inputs, layers=Linear, loss=None):
    """The variance of the gradients with respect to the pre-activations, from the first layer to the last.

    Formula: delta^k = d loss / d f^k; with ReLU between layers, var delta^(k-1) = D' s_k var delta^k / 2, D' the width
        of layer k, that is its fan-out.

    Args:
        model: a Module.
        *inputs: what it is called with.
        layers: which modules count, a class or a tuple of classes.
        loss: a function of the model's output that returns one number; default: the sum of all elements.

    Returns:
        A list of floats, one per layer; the last belongs to the layer nearest to the loss.

    Raises:
        ValueError: the model calls none of these layers.

    Source: the notes, equations 1.21 to 1.23.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.gradient_trace(tn.nn.MLP([4, 8, 1]), tn.randn(16, 4))[-1]
        0.0
    """
    with enable_grad():
        given = [x.detach().requires_grad_() if isinstance(x, Tensor) and x.dtype.kind == "f" else x for x in inputs]
        output, seen = _run(model, given, layers)
        value = sum(output) if loss is None else loss(output)
    gradients = grad(value, [out for _, out in seen], allow_unused=True)
    return [0.0 if g is None else _moments(g)[1] for g in gradients]
