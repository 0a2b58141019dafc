"""Encoder and decoder at the command line: one sequence is read, another written."""
from ..seq2seq import Seq2Seq
from .recipe import Recipe
from .sequence import PLOTS, clipped, decaying_adamw, pages, warm_then_cosine


def _build(source, dtype, device, *, width: int = 64, heads: int = 4, layers: int = 1, dropout: float = 0.1):
    return Seq2Seq(source.classes, source.classes, width, heads, layers, dropout, device=device, dtype=dtype)


def _written(model, source, n=None):
    """Whether each token that the model writes by itself is right, (N, T), and what it writes."""
    x, y = (part[:n] for part in source.test.tensors)
    found = model.predict(x, y.shape[1])
    return found == y, found


def report(model, source, averages):
    """The share of tokens that are right, and of sequences that are right as a whole, where the model writes alone."""
    right, _ = _written(model, source)
    tokens, whole = float(right.astype("float32").mean()), float(right.all(axis=1).astype("float32").mean())
    text = f"held out: {100 * tokens:.2f}% of the tokens written right, {100 * whole:.2f}% of the whole sequences"
    return text, {"tokens": tokens, "sequences": whole, **averages}


def pictures(model, source):
    """Some sequences, what the model wrote, and what was asked for."""
    rows = zip(*(part[:12].tolist() for part in (*source.test.tensors, _written(model, source, 12)[1])))
    texts = {f"sequence {k}": "\n".join(f"{name:8} {' '.join(map(str, row))}" for name, row in
                                        zip(("read", "wanted", "written"), three)) for k, three in enumerate(rows, 1)}
    return {"samples": pages(texts, f"Seq2Seq on {source.name}")}


RECIPES = (
    Recipe("seq2seq", "a transformer that reads one sequence and writes another", _build, lambda data: data, report,
           pictures, data="reversals", epochs=3, batch_size=64, lr=3e-3, plots=PLOTS, kinds=("pairs",),
           optimizers=decaying_adamw, schedule=warm_then_cosine, update=clipped),
)
