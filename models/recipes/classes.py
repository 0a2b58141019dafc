"""What recipes of classifiers share: what to say and to draw at the end."""
from ...viz import heatmap, image_sheet
from .recipe import shaped

PLOTS = (("curves.svg", "nats", ("loss",)), ("accuracy.svg", "share right", ("accuracy",)))
TITLE = "answers to held-out examples"


def report(model, source, averages):
    """The share of right answers on held-out examples, as a line and as numbers."""
    x, y = source.test.tensors
    wrong = int((model.predict(x) != y).sum())
    share = 100 * (1 - wrong / len(y))
    text = f"held out: {share:.2f}% right, {wrong} of {len(y)} wrong, loss {averages['loss']:.4f} nats"
    return text, {"wrong": wrong, "examples": len(y), **averages}


def pictures(model, source):
    """Held-out examples with the answers, those read wrong, and how often each class is taken for each other."""
    x, y = source.test.tensors
    found = model.predict(x)
    wrong = [k for k, (a, b) in enumerate(zip(found.tolist(), y.tolist())) if a != b]
    bands = {f"held-out examples, read as {' '.join(map(str, found[:20].tolist()))}": shaped(x[:20], source)}
    if wrong:
        said = " ".join(f"{int(y[k])}>{int(found[k])}" for k in wrong[:20])
        caption = f"{len(wrong)} errors, class > answer: {said}{' ...' if len(wrong) > 20 else ''}"
        bands[caption] = shaped(x[wrong[:40]], source)
    name = type(getattr(model, "regressor", model)).__name__
    return {"samples": image_sheet(bands, columns=20, title=f"{name} on {source.name}"),
            "confusion": heatmap(confusion(y.tolist(), found.tolist(), source.classes), TITLE, "answer", "class")}


def confusion(truth, found, classes):
    """Rows of counts: how often an example of class i was answered with j."""
    table = [[0] * classes for _ in range(classes)]
    for i, j in zip(truth, found):
        table[i][j] += 1
    return table
