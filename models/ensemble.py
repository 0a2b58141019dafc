"""Several models as one: their mean is never worse than they are on average.

    M members   N examples   K outputs   f_m  what member m says   f  their mean

    mean over m of (f_m - y)^2  =  (f - y)^2  +  mean over m of (f_m - f)^2

The last term, how much the members differ, is what is gained. Bagging makes them differ: each is fitted to a sample of
the data, drawn with replacement.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad
from ..backend import Generator
from ..data import bootstrap
from ..nn import Module, ModuleList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..autograd import Tensor
    from ..typing import ArrayLike

MEANS = ("logits", "probs", "median")


class Ensemble(Module):
    """Models of one task, and what they say together.

    Formula: 'logits': mean_m f_m(x) (the outputs of regressors, the scores of classifiers); 'probs':
        log mean_m softmax f_m(x), the scores of the mean of probabilities; 'median': median_m f_m(x). For the squared
        error, (y - mean f)^2 = mean (y - f_m)^2 - mean (f_m - mean f)^2: as much better as the members differ.

    Args:
        members: M modules.
        mean: 'logits', 'probs' or 'median'.

    Raises:
        ValueError: there is no member, or `mean` is unknown.

    Source: the notes, section 2.3.3; UDL 9.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> rates = [tn.models.LinearRegression(1).fit([[0.0], [1.0]], [0.0, slope]) for slope in (1.0, 3.0)]
        >>> tn.models.Ensemble(rates).predict([[2.0]])
        tensor([4.])
    """

    def __init__(self, members: Iterable[Module], mean: str = "logits") -> None:
        super().__init__()
        self.members = ModuleList(list(members))
        if not len(self.members):
            raise ValueError("members: expected at least one")
        if mean not in MEANS:
            raise ValueError(f"mean: expected one of {', '.join(MEANS)}, got {mean!r}")
        self.mean = mean

    def outputs(self, x: ArrayLike) -> Tensor:
        """What each member says: (M, N, ...)."""
        return ops.stack([member(x) for member in self.members])

    def forward(self, x: ArrayLike) -> Tensor:
        """What they say together: (N, ...)."""
        every = self.outputs(x)
        if self.mean == "median":
            return ops.quantile(every, 0.5, axis=0)
        if self.mean == "probs":
            return ops.log(ops.mean(ops.softmax(every, axis=-1), axis=0))
        return ops.mean(every, axis=0)

    def loss(self, x: ArrayLike, y: ArrayLike) -> dict[str, Tensor]:
        """The losses of the members and their parts, means over the members: each then learns on its own.

        Args:
            x, y: N examples, as the members' `loss` takes them; it returns dicts of 0-d Tensors.
        """
        found: Any = [member.loss(x, y) for member in self.members]
        return {name: ops.mean(ops.stack([parts[name] for parts in found])) for name in found[0]}

    def predict(self, x: ArrayLike) -> Tensor:
        """`forward` without recording."""
        with no_grad(), self.evaluating():
            return self(x)

    def classify(self, x: ArrayLike) -> Tensor:
        """The class with the largest joint score, (N,)."""
        return ops.argmax(self.predict(x), axis=-1)

    def spread(self, x: ArrayLike) -> Tensor:
        """The variance of the members about their mean, as the squared error sees it: (N, ...)."""
        with no_grad(), self.evaluating():
            return ops.var(self.outputs(x), axis=0)


class Bagging(Ensemble):
    """An ensemble whose members are fitted to samples of the data, drawn with replacement.

    Formula: member m is fitted to (x_i, y_i), i from a bootstrap sample of N of the N examples; a share of about 1/e of
        them is not in it.

    Args:
        make: function of nothing that returns a new Module.
        fit: function (module, x, y) that fits it; default: its method `fit(x, y)`.
        count: M.
        mean: as in `Ensemble`.

    Raises:
        ValueError: as `Ensemble`.

    Source: Breiman 1996, "Bagging predictors"; UDL 9.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> bag = tn.models.Bagging(lambda: tn.models.LinearRegression(1), count=3)
        >>> bag.fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], generator=0).predict([[3.0]]).shape
        (1,)
    """

    def __init__(self, make: Callable[[], Any], fit: Callable[..., Any] | None = None, count: int = 10,
                 mean: str = "median") -> None:
        super().__init__([make() for _ in range(count)], mean)
        self._fit = fit or (lambda member, x, y: member.fit(x, y))

    def fit(self, x: ArrayLike, y: ArrayLike, generator: Any = None) -> Bagging:
        """Fit each member to its own sample of (x, y); returns the ensemble.

        Args:
            x, y: N examples.
            generator: a `tn.Generator`, an int seed, or None.
        """
        x, y = as_tensor(x), as_tensor(y)
        stream = generator if not isinstance(generator, int) else Generator(generator)
        for member in self.members:
            rows, _ = bootstrap(x.shape[0], stream)
            self._fit(member, x[as_tensor(rows, like=x)], y[as_tensor(rows, like=x)])
        return self
