"""How a tensor reads: values in PyTorch's manner, then what is not the default."""
import numpy as np

LINE, EDGE, MANY = 80, 3, 1000  # characters a line; items kept at each end of an axis; elements before that begins


def tensor_repr(tensor):
    """The text of a tensor: its values, then dtype, device and where it came from, as far as not the default."""
    host = tensor.device.to_numpy(tensor.data)
    notes = []
    if host.size == 0:
        body = "[]"
        if host.shape != (0,):
            notes.append(f"size={host.shape}")
    else:
        body = values_text(host, len("tensor("))
    usual = ("float32",) if host.size == 0 else ("float32", "int64", "bool", "complex64")
    if host.dtype.name not in usual:
        notes.append(f"dtype={host.dtype}")
    if tensor.device.name != "cpu":
        notes.append(f"device='{tensor.device}'")
    if tensor.node is not None:
        notes.append(f"grad_fn=<{tensor.node.name}>")
    elif tensor.requires_grad:
        notes.append("requires_grad=True")
    text = "tensor(" + body
    for note in notes:
        start = " " * len("tensor(")
        fits = len(text) - text.rfind("\n") + len(note) + 2 <= LINE
        text += f", {note}" if fits else f",\n{start}{note}"
    return text + ")"


def values_text(host, indent):
    """Nested brackets of all values, or of the first and last few along long axes."""
    cut = host.size > MANY
    shown = _ends(host) if cut else host
    if host.dtype.kind == "c":
        write = _complex(shown)
    elif host.dtype.kind == "f":
        write = _floating(shown)
    else:
        write = _plain(shown)
    return write(host[()], 0) if not host.shape else _nested(host, write, indent, cut)


def _ends(host):
    """What is shown of a large array, for the common width."""
    for axis, n in enumerate(host.shape):
        if n > 2 * EDGE:
            host = np.take(host, [*range(EDGE), *range(n - EDGE, n)], axis=axis)
    return host


def _nested(host, write, indent, cut):
    skip = cut and len(host) > 2 * EDGE
    kept = [*host[:EDGE], None, *host[-EDGE:]] if skip else list(host)
    if host.ndim > 1:
        parts = ["..." if part is None else _nested(part, write, indent + 1, cut) for part in kept]
        return "[" + ("," + "\n" * (host.ndim - 1) + " " * (indent + 1)).join(parts) + "]"
    width = write.width
    words = [" ..." if part is None else write(part, width) for part in kept]
    per_line = max(1, (LINE - indent) // (width + 2))
    lines = [", ".join(words[k:k + per_line]) for k in range(0, len(words), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


class _Writer:
    """Writes single values right-aligned to the width of the widest among `values`."""

    def __init__(self, form, values):
        self.form = form
        self.width = max((len(form(v)) for v in values.ravel()), default=1)

    def __call__(self, value, width):
        return self.form(value).rjust(width)


def _plain(values):
    return _Writer(lambda v: str(v.item()), values)


def _floating(values):
    return _Writer(_form(values), values[np.isfinite(values) & (values != 0)])  # zeros and infinities set no width


def _form(values):
    """Whole numbers as `3.`, others with 4 digits; with exponents where magnitudes are far apart or extreme."""
    finite = np.abs(values[np.isfinite(values) & (values != 0)].astype(np.float64))
    if finite.size == 0:
        return lambda v: f"{v:.0f}." if np.isfinite(v) else f"{v:.0f}"
    low, high = finite.min(), finite.max()
    whole = bool((finite == np.floor(finite)).all())
    if high / low > 1000 or high > 1e8 or (low < 1e-4 and not whole):
        return lambda v: f"{v:.4e}"
    if whole:
        return lambda v: f"{v:.0f}." if np.isfinite(v) else f"{v:.0f}"
    return lambda v: f"{v:.4f}"


def _complex(values):
    real, imag = _form(values.real), _form(values.imag)
    wide = max(len(imag(abs(v))) for v in values.imag.ravel())
    return _Writer(lambda v: real(v.real) + ("-" if np.signbit(v.imag) else "+") + imag(abs(v.imag)).rjust(wide) + "j",
                   values)
