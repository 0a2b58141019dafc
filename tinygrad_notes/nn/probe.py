"""What initialization does to a network: the spread of activations and of gradients, layer by layer."""
from ..autograd import Tensor, enable_grad, grad, no_grad
from ..ops import mean, randn, relu, sum
from .functional.common import number
from .linear import Linear, size

__all__ = ["gradient_trace", "preactivation_stats", "variance_over_inits", "variance_trace"]


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


def variance_over_inits(widths, weight_variance, nets=10_000, generator=None):
    """The variance of pre-activations and of gradients in many random ReLU networks, all at once.

    Formula: x ~ N(0, I), every weight ~ N(0, s), no offsets. var f^1 = D_0 s, var f^k = D_(k-1) s var f^(k-1) / 2; and
        from delta^K ~ N(0, I) back, var delta^(k-1) = D_k s var delta^k / 2, where layers are so wide that none dies:
        all units of layer k are off with probability 2^(-D_k): then no gradient passes. D_k is the width of layer k.

    Args:
        widths: D_0, D_1, ..., D_K: of the input and of each layer.
        weight_variance: s > 0, or one such number per layer.
        nets: how many networks the variances are means over; narrow ones vary much, and may die.
        generator: where the numbers come from.

    Returns:
        (forward, backward): two lists of K floats, from the first layer to the last.

    Raises:
        ValueError: fewer than two widths, a width or `nets` below 1, or a variance that is not positive.

    Source: the notes, figure 1.6 and equations 1.16 and 1.22.

    Example:
        >>> import tinygrad_notes as tn
        >>> forward, backward = tn.nn.variance_over_inits([4] * 8, 0.5, nets=100)
        >>> len(forward), len(backward)
        (7, 7)
    """
    widths, nets = [size("widths", n, 1) for n in widths], size("nets", nets, 1)
    if len(widths) < 2:
        raise ValueError(f"widths: expected those of the input and of one layer at least, got {widths}")
    variances = weight_variance if isinstance(weight_variance, (tuple, list)) else [weight_variance] * (len(widths) - 1)
    variances = [number("weight_variance", s, 0, low_open=True) for s in variances]
    if len(variances) != len(widths) - 1:
        raise ValueError(f"weight_variance: expected one number or {len(widths) - 1}, one per layer, got "
                         f"{len(variances)}")

    def draw(*shape):
        return randn(nets, *shape, generator=generator)
    with no_grad():
        h, weights, f = draw(1, widths[0]), [], []
        for m, n, s in zip(widths, widths[1:], variances):
            weights.append(draw(m, n) * s**0.5)
            f.append(h @ weights[-1])  # (nets, 1, m) @ (nets, m, n)
            h = relu(f[-1])
        delta, back = draw(1, widths[-1]), []
        for k in reversed(range(len(f))):
            back.append(mean(delta * delta).item())
            if k:
                delta = (delta @ weights[k].mT) * (f[k - 1] > 0)
        return [mean(values * values).item() for values in f], back[::-1]
