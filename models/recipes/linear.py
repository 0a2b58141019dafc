"""Models in closed form at the command line: least squares, ridge, kernels, principal components, bagging."""
import math
from typing import Literal

from ... import ops
from ...autograd import as_tensor, no_grad
from ...data import TensorDataset
from ...viz import image_sheet, plot_curves, scatter
from ..ensemble import Bagging
from ..kernel import KernelRidge, linear_kernel, polynomial_kernel, rbf_kernel
from ..linear import PCA, LeastSquaresClassifier, LinearRegression, PolynomialFeatures, RBFFeatures
from . import autoencoder, classes
from .recipe import Recipe, shaped, size

KINDS = ("curve", "image", "signal", "points")


def _regression(source, kind, degree, centers, width, penalty, dtype, device):
    """A `LinearRegression`; 'auto' is on polynomials of a curve's input, else on the inputs themselves."""
    x, count, phi = source.train.tensors[0], size(source), None
    if kind == "auto":
        kind = "polynomial" if source.kind == "curve" else "none"
    if kind == "polynomial":
        phi, count = PolynomialFeatures(degree), math.comb(count + degree, degree) - 1
    elif kind == "rbf":
        rows = as_tensor([k * len(x) // centers for k in range(centers)], like=x)
        phi, count = RBFFeatures(ops.astype(ops.take(x, rows, axis=0), dtype or x.dtype), width), centers
    return LinearRegression(count, source.classes, penalty, phi, dtype=dtype, device=device)


def _for_classes(model, source):
    return model if source.kind == "curve" else LeastSquaresClassifier(model, source.classes)


def _build_linear(source, dtype, device, *, features: Literal["auto", "none", "polynomial", "rbf"] = "auto",
                  degree: int = 5, centers: int = 12, width: float = 1.0, penalty: float = 0.0):
    return _for_classes(_regression(source, features, degree, centers, width, penalty, dtype, device), source)


def _build_bagging(source, dtype, device, *, count: int = 20, mean: Literal["logits", "median"] = "logits",
                   features: Literal["auto", "none", "polynomial", "rbf"] = "auto", degree: int = 5, centers: int = 12,
                   width: float = 1.0, penalty: float = 0.0):
    def member():
        return _regression(source, features, degree, centers, width, penalty, dtype, device)
    return _for_classes(Bagging(member, count=count, mean=mean), source)


def _build_kernel(source, dtype, device, *, kernel: Literal["rbf", "polynomial", "linear"] = "rbf", width: float = 1.5,
                  degree: int = 3, penalty: float = 0.1):
    made = {"rbf": rbf_kernel(width), "polynomial": polynomial_kernel(degree), "linear": linear_kernel}[kernel]
    return _for_classes(KernelRidge(made, penalty), source)


def _build_pca(source, dtype, device, *, components: int | None = None):
    return PCA(max(min(10, size(source) // 2), 1) if components is None else components)


def report(model, source, averages):
    """Of a curve, the error and the share of the variance that is explained; else the share of right answers."""
    x, y = source.test.tensors
    if source.kind != "curve":
        with no_grad():
            error = float(model.loss(x, y)["loss"])
        wrong = int((model.predict(x) != y).sum())
        text = f"held out: {100 * (1 - wrong / len(y)):.2f}% right, {wrong} of {len(y)} wrong, loss {error:.4f}"
        return text, {"wrong": wrong, "examples": len(y), "loss": error}
    error = float(ops.mean(ops.square(model.predict(x) - y)))
    explained = 1 - error / float(ops.var(y))
    text = f"held out: squared error {error:.4f}, {100 * explained:.1f}% of the variance explained"
    numbers = {"error": error, "explained": explained}
    if isinstance(model, Bagging):
        with no_grad():
            numbers["member_error"] = float(ops.mean(ops.square(model.outputs(x) - y)))
        text += f"; its members alone {numbers['member_error']:.4f} on average"
    return text, numbers


def pictures(model, source):
    """The curve with the points it was fitted to, or the classes of held-out examples."""
    x, title = source.test.tensors[0], f"{type(model).__name__} on {source.name}"
    if source.kind == "points":
        n = min(len(x), 1000)
        return {"samples": scatter(x[:n], model.predict(x[:n]), title=f"{title}: classes found", equal=True)}
    if source.kind != "curve":
        return classes.pictures(model, source)
    t = ops.linspace(float(ops.min(x)), float(ops.max(x)), 300, dtype=x.dtype, device=x.device)
    fit, (inputs, y) = model.predict(t[:, None]), source.train.tensors
    points = ops.concat([ops.stack([inputs[:, 0], y], axis=1), ops.stack([t, fit], axis=1)])
    drawn = {"samples": scatter(points, [0] * len(y) + [1] * len(t), title, "x", "y", size=0.6,
                                names=["training points", "fit"])}
    if isinstance(model, Bagging):
        with no_grad():
            every = model.outputs(t[:, None])
        curves = {f"member {k}": (t, row) for k, row in enumerate(ops.unstack(every[:5]), 1)}
        drawn["members"] = plot_curves({f"all {len(every)} together": (t, fit), **curves}, title, "x", "y")
    return drawn


def report_pca(model, source, averages):
    """How much of what varies in held-out examples is kept."""
    error = float(model.loss(source.test.tensors[0]))
    return autoencoder.report(model, source, {"reconstruction": error})


def pictures_pca(model, source):
    """Held-out examples and what comes back, the components, and how much each of them varies."""
    drawn = autoencoder.pictures(model, source)
    if source.kind != "points":
        scaled = 0.5 + model.directions / (2 * ops.max(ops.abs(model.directions), axis=1, keepdims=True))
        bands = {"mean": shaped(model.mean[None], source),
                 "components, gray is no weight": shaped(scaled, source)}
        drawn["components"] = image_sheet(bands, columns=20, title=f"PCA of {source.name}")
    shares = model.variances / ops.sum(ops.var(source.train.tensors[0], axis=0))
    drawn["spectrum"] = plot_curves({"share of the variance": shares, "sum of the shares": ops.cumulative_sum(shares)},
                                    f"PCA of {source.name}", "component")
    return drawn


def _recipe(name, summary, build, report=report, pictures=pictures, **options):
    defaults = {"inputs": lambda data: data, "fit": lambda model, source: model.fit(*source.train.tensors),
                "kinds": KINDS, "plots": ()}
    return Recipe(name, summary, build, report=report, pictures=pictures, **{**defaults, **options})


RECIPES = (
    _recipe("linear", "least squares or ridge regression on inputs, polynomials or bumps", _build_linear, data="sine"),
    _recipe("kernel-ridge", "ridge regression in the features of a kernel", _build_kernel, data="digits"),
    _recipe("bagging", "the mean of regressions on samples of the data", _build_bagging, data="sine"),
    _recipe("pca", "the directions of largest variance", _build_pca, report_pca, pictures_pca, data="digits",
            inputs=lambda data: TensorDataset(data.tensors[0]), kinds=KINDS[1:],
            fit=lambda model, source: model.fit(source.train.tensors[0])),
)
