"""Language models at the command line."""
import math
from html import escape
from typing import Literal

from ...autograd import no_grad
from ...backend import Generator
from ...nn.utils import clip_grad_norm_
from ...optim import AdamW
from ...optim.lr_scheduler import OneCycleLR
from ...viz import Picture, attention_map
from ...viz.picture import FONT
from ..bert import BERT
from ..gpt import GPT
from ..rnn import RNNLanguageModel
from .recipe import Recipe

PLOTS = (("curves.svg", "nats per token", ("loss",)), ("accuracy.svg", "share right", ("accuracy",)))


def _build_gpt(source, dtype, device, *, width: int = 128, heads: int = 4, layers: int = 3, dropout: float = 0.1):
    return GPT(source.classes, source.shape[0], width, heads, layers, dropout, device=device, dtype=dtype)


def decaying_adamw(model, lr):
    """AdamW as language models are trained with it: matrices decay, offsets and scales do not."""
    groups = [{"params": [p for p in model.parameters() if (p.ndim >= 2) == matrix], "weight_decay": decay}
              for matrix, decay in ((True, 0.1), (False, 0.0))]
    return AdamW([group for group in groups if group["params"]], lr=lr, betas=(0.9, 0.95))


def clipped(trainer, batch):
    """A step with a gradient of length 1 at most: a single strange batch then cannot throw the weights far off."""
    parts = trainer.model.loss(*batch)
    trainer.optimizer.zero_grad()
    parts["loss"].backward()
    clip_grad_norm_(trainer.model.parameters(), 1.0)
    trainer.optimizer.step()
    return parts


def warm_then_cosine(optimizer, epochs, steps):
    """The rate rises during the first twentieth of all steps, then falls to nothing along a cosine."""
    return OneCycleLR(optimizer, [group["lr"] for group in optimizer.param_groups], total_steps=steps + 1,
                      pct_start=0.05, cycle_momentum=False)


def bits_per_character(source, nats):
    """Nats per token as bits per character of the held-out text: the same for every way to cut it into tokens."""
    tokens = source.test.tokens[1:]
    return nats / math.log(2) * len(tokens) / len(source.tokenizer.decode(tokens))


def report(model, source, averages):
    """Bits per character and the share of tokens that were foreseen."""
    bits = bits_per_character(source, averages["loss"])
    text = (f"held out: {bits:.3f} bits per character, {averages['loss']:.3f} nats per token, "
            f"{100 * averages['accuracy']:.1f}% of the tokens foreseen")
    return text, {"bits_per_character": bits, **averages}


def written(model, source, count=3, length=120):
    """{caption: text} of what a model writes after the beginnings of held-out passages."""
    found = {}
    for k, (name, options) in enumerate({"drawn": {}, "drawn at temperature 0.8, nucleus 0.95": {
            "temperature": 0.8, "top_p": 0.95}, "most probable tokens": {"temperature": 0}}.items()):
        at = k * len(source.test.tokens) // 4
        start = source.test.tokens[at:at + min(16, source.shape[0])]
        tokens = model.sample(1, length, start, **options)[0].tolist()
        begin, rest = (source.tokenizer.decode(part) for part in (tokens[:len(start)], tokens[len(start):]))
        found[name] = begin + "\u2503" + rest
    return found


def pages(texts, title, width=84):
    """Texts below each other as a picture, lines as they are."""
    lines, y = [], 40
    for caption, text in texts.items():
        lines.append(f'<text x="14" y="{y}" font-family="{FONT}" font-size="12" fill="#6b7280">{escape(caption)}'
                     "</text>")
        y += 20
        for line in text.split("\n"):
            for k in range(0, max(len(line), 1), width):
                part = escape("".join(c if c.isprintable() else "\ufffd" for c in line[k:k + width]))
                lines.append(f'<text x="14" y="{y}" font-family="ui-monospace, monospace" font-size="12" '
                             f'xml:space="preserve">{part}</text>')
                y += 16
        y += 14
    head = f'<text x="14" y="20" font-family="{FONT}" font-size="14" font-weight="600">{escape(title)}</text>'
    size = f'width="{width * 7.4 + 28:.0f}" height="{y}"'
    return Picture(f'<svg xmlns="http://www.w3.org/2000/svg" {size}><rect {size} fill="#ffffff"/>{head}'
                   f'{"".join(lines)}</svg>')


def pictures(model, source):
    """What the model writes; of a transformer, also who looks at whom."""
    drawn = {"samples": pages(written(model, source), f"{type(model).__name__} on {source.name}")}
    if hasattr(model, "attention"):
        tokens = source.test.tokens[:min(20, source.shape[0])]
        labels = [repr(source.tokenizer.decode([k]))[1:-1] for k in tokens]
        with no_grad():
            tables = model.attention(source.test.batch([0])[0][:, :len(tokens)])
        for k, table in enumerate(tables, 1):
            drawn[f"attention-{k}"] = attention_map(table[0], labels, title=f"layer {k}: who looks at whom")
    return drawn


def _build_rnn(source, dtype, device, *, width: int = 256, layers: int = 1, dropout: float = 0.2,
               cell: Literal["lstm", "gru", "rnn"] = "lstm"):
    return RNNLanguageModel(source.classes, width, width, layers, cell, dropout, device=device, dtype=dtype)


def _build_bert(source, dtype, device, *, width: int = 128, heads: int = 4, layers: int = 3, dropout: float = 0.1):
    return BERT(source.classes, source.shape[0], width, heads, layers, dropout, device=device, dtype=dtype)


def report_gaps(model, source, averages):
    """How many hidden tokens are restored."""
    text = (f"held out: {100 * averages['accuracy']:.1f}% of the hidden tokens restored, {averages['loss']:.3f} nats "
            "for each")
    return text, dict(averages)


def pictures_gaps(model, source):
    """Held-out passages with gaps, what the model puts there, and what stood there."""
    tokens = source.test.batch(slice(0, 3))[0]
    shown, chosen = model.hide(tokens, Generator(0))
    found, texts = model.predict(shown).tolist(), {}
    decode = source.tokenizer.decode
    for k, (row, gaps) in enumerate(zip(tokens.tolist(), chosen.tolist())):
        texts[f"passage {k + 1}"] = "".join("\u2581" if gap else decode([token]) for token, gap in zip(row, gaps))
        texts[f"restored {k + 1}"] = "".join(f"\u2503{decode([new])}\u2503" if gap else decode([token])
                                            for token, gap, new in zip(row, gaps, found[k]))
    return pages(texts, f"BERT on {source.name}")


RECIPES = (
    Recipe("gpt", "a transformer that writes text", _build_gpt, lambda data: data, report, pictures, data="text",
           epochs=5, batch_size=16, lr=3e-3, plots=PLOTS, kinds=("text",), optimizers=decaying_adamw,
           schedule=warm_then_cosine, update=clipped),
    Recipe("rnn", "a recurrent network that writes text", _build_rnn, lambda data: data, report, pictures, data="text",
           epochs=5, batch_size=16, lr=3e-3, plots=PLOTS, kinds=("text",), optimizers=decaying_adamw,
           schedule=warm_then_cosine, update=clipped),
    Recipe("bert", "a transformer that restores hidden tokens", _build_bert, lambda data: data, report_gaps,
           pictures_gaps, data="text", epochs=10, batch_size=16, lr=2e-3, plots=PLOTS, kinds=("text",),
           optimizers=decaying_adamw, schedule=warm_then_cosine, update=clipped),
)
