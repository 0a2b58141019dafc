"""Chapter 1 of the notes, figure 1.1: a line fitted by gradient descent and by mini-batches.

Per epoch mini-batches get near the minimum sooner, because they take more steps; with a constant rate they then stay
on a noise floor above it, while full-batch gradient descent reaches it.
"""
import numpy as np

import tinygrad_notes as tn

EPOCHS, RATE, START = 500, 0.05, [[0.0, -6.0]]  # intercept and slope


class Batches:
    """The examples in a new random order for each epoch."""

    def __init__(self, X, y, size, seed=1):
        self.X, self.y, self.size, self.rng = X, y, size, np.random.default_rng(seed)

    def __len__(self):
        return -(-len(self.X) // self.size)

    def __iter__(self):
        for rows in tn.data.minibatches(len(self.X), self.size, self.rng):
            yield self.X[rows], self.y[rows]


def mean_square(model, X, y):
    return ((model(X) - y)**2).mean()


def descend(X, y, batch, epochs=EPOCHS, rate=RATE, loss=mean_square):
    """Fit from START; returns (intercept, slope) and the mean square over all data after each epoch."""
    model = tn.nn.Linear(2, 1, bias=False, dtype=X.dtype)
    model.load_state_dict({"weight": tn.tensor(START, dtype=X.dtype)})
    batches = [(X, y)] if batch == len(X) else Batches(X, y, batch)
    history = tn.train.fit(model, batches, tn.optim.SGD(model.parameters(), lr=rate), epochs, loss=loss,
                           valid=[(X, y)])
    return model.weight.tolist()[0], history["valid_loss"]


def main():
    X, y = tn.data.line(1000, generator=np.random.default_rng(0), dtype=tn.float64)
    best = tn.tensor(np.linalg.lstsq(X.numpy(), y.numpy())[0])
    print(f"least squares: ({best[0, 0].item():.5f}, {best[1, 0].item():.5f}), "
          f"mean square {((X @ best - y)**2).mean().item():.5f}")
    curves = {}
    for name, batch in (("full batch", 1000), ("batch 100", 100), ("batch 50", 50)):
        (a, b), losses = descend(X, y, batch)
        shown = " ".join(f"{losses[k - 1]:9.3f}" for k in (1, 5, 20, 100, 500))
        print(f"{name:10} epochs 1 5 20 100 500: {shown}   ends at ({a:.5f}, {b:.5f})")
        curves[name] = losses[:20]
    tn.viz.plot_curves(curves, "a line by gradient descent", ylabel="mean square", logy=True).save("ch1_linear_sgd.svg")


if __name__ == "__main__":
    main()
