"""When to stop: no more progress on held-out data, or hardly any change."""
from __future__ import annotations

import math


class Stopping:
    """Base of all rules that end training early: `update(value)` once per epoch says whether to stop.

    Args:
        metric: the column of the history that is watched.

    Example:
        >>> import tinygrad_notes as tn
        >>> class Enough(tn.train.Stopping):
        ...     def update(self, value, model=None):
        ...         self.reason = f"{self.metric} is below 1"
        ...         return value < 1
        >>> Enough("loss").update(0.5)
        True
    """

    def __init__(self, metric):
        self.metric = metric
        self.reason = ""

    def update(self, value, model=None):
        """Look at the value of this epoch; True to stop."""
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def finish(self, model):
        """What is done with the model when training is over."""

    def state_dict(self):
        """Everything it remembers."""
        return {key: value for key, value in self.__dict__.items() if key not in self.options}

    def load_state_dict(self, state):
        """Continue from a `state_dict`."""
        self.__dict__.update({key: state[key] for key in self.state_dict()})

    options: tuple[str, ...] = ("metric",)


class EarlyStopping(Stopping):
    """Stop when a measure on held-out data has not improved for `patience` epochs.

    Formula: with best_t = min(v_1, ..., v_t), stop at the first t where v_{t-patience+1}, ..., v_t all failed to be
    below best - min_delta. On quadratic losses this acts like L2 regularization.

    Args:
        patience: epochs without improvement that are waited for, >= 1.
        metric: the column of the history, default the loss on held-out data.
        mode: 'min' if smaller is better, 'max' if larger.
        min_delta: what counts as an improvement, >= 0, in the unit of the metric.
        restore_best: give the model the parameters of its best epoch at the end.

    Raises:
        ValueError: an option is out of range.

    Source: the notes, section 2.3.3; Prechelt 1998, "Early stopping - but when?".

    Example:
        >>> import tinygrad_notes as tn
        >>> rule = tn.train.EarlyStopping(patience=2)
        >>> [rule.update(v) for v in (3.0, 2.0, 2.5, 2.1, 2.2)]
        [False, False, False, True, True]
    """

    options = ("metric", "patience", "mode", "min_delta", "restore_best")

    def __init__(self, patience: int = 10, metric: str = "valid_loss", mode: str = "min", min_delta: float = 0.0,
                 restore_best: bool = True) -> None:
        super().__init__(metric)
        if isinstance(patience, bool) or not isinstance(patience, int) or patience < 1:
            raise ValueError(f"patience: expected an int >= 1, got {patience!r}")
        if mode not in ("min", "max"):
            raise ValueError(f"mode: expected 'min' or 'max', got {mode!r}")
        if not 0 <= min_delta < math.inf:
            raise ValueError(f"min_delta: expected a number >= 0, got {min_delta!r}")
        self.patience, self.mode, self.min_delta, self.restore_best = patience, mode, min_delta, restore_best
        self.epoch = self.best_epoch = 0
        self.best = None
        self.best_parameters = None

    def update(self, value, model=None):
        """Look at the value of this epoch; True to stop. A value that is not a number is no improvement."""
        self.epoch += 1
        gain = 0.0 if self.best is None else self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta or (self.best is None and value == value):
            self.best, self.best_epoch = value, self.epoch
            if self.restore_best and model is not None:
                self.best_parameters = {key: tensor.copy() for key, tensor in model.state_dict().items()}
        if self.epoch - self.best_epoch < self.patience:
            return False
        self.reason = f"{self.metric} has not improved on {self.best} for {self.patience} epochs"
        return True

    def finish(self, model):
        """Give `model` the parameters of its best epoch, if `restore_best` was asked for."""
        if self.best_parameters is not None:
            model.load_state_dict(self.best_parameters)


class RelativeChange(Stopping):
    """Stop when the loss hardly changes from one epoch to the next.

    Formula: stop at the first t >= 2 where |L_s - L_{s-1}| / |L_{s-1}| <= tol for s = t, t-1, ..., t-patience+1.

    Args:
        tol: largest relative change that counts as none, >= 0.
        patience: how many such epochs in a row, >= 1.
        metric: the column of the history.

    Raises:
        ValueError: an option is out of range.

    Source: the notes, listing momentumSGD (commented lines).

    Example:
        >>> import tinygrad_notes as tn
        >>> rule = tn.train.RelativeChange(tol=0.01)
        >>> [rule.update(v) for v in (10.0, 5.0, 4.0, 3.99)]
        [False, False, False, True]
    """

    options = ("metric", "patience", "tol")

    def __init__(self, tol: float = 0.01, patience: int = 1, metric: str = "loss") -> None:
        super().__init__(metric)
        if isinstance(patience, bool) or not isinstance(patience, int) or patience < 1:
            raise ValueError(f"patience: expected an int >= 1, got {patience!r}")
        if not 0 <= tol < math.inf:
            raise ValueError(f"tol: expected a number >= 0, got {tol!r}")
        self.tol, self.patience = tol, patience
        self.last = None
        self.calm = 0

    def update(self, value, model=None):
        """Look at the loss of this epoch; True to stop; never on the first."""
        still = self.last is not None and abs(value - self.last) <= self.tol * abs(self.last)
        self.calm = self.calm + 1 if still else 0
        self.last = value
        if self.calm < self.patience:
            return False
        self.reason = f"{self.metric} changed by at most {self.tol:g} of itself"
        return True
