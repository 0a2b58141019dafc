"""`detect_anomaly`: where the first NaN or infinity came from, forward and backward."""
import linecache
import sys
from pathlib import Path

from ..backend import device_of, namespace_of
from .mode import Switch

_PACKAGE = str(Path(__file__).resolve().parents[1])


class AnomalyError(ArithmeticError):
    """A NaN or infinity appeared where none went in."""


class detect_anomaly(Switch):
    """Inside the block, raise `AnomalyError` at the first operation that makes a NaN or an infinity.

    Forward: the operation and the user's source line. Backward: the operation whose rule made it,
    the line that recorded it, and, for `where`, the branch that was masked out. Slow; for debugging.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([0.0], requires_grad=True)
        >>> with tn.detect_anomaly():
        ...     try: tn.sqrt(x).sum().backward()
        ...     except tn.AnomalyError as error: print(str(error).split(":")[0])
        backward of sqrt
    """

    field = "anomaly"

    def __init__(self, value=True):
        super().__init__(bool(value))


def call_site():
    """The user's line that is being executed: 'file:line in function: source text'."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    if frame is None:
        return "unknown line"
    name, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(name, line).strip()
    return f"{name}:{line} in {frame.f_code.co_name}" + (f": {text}" if text else "")


def bad_values(arrays):
    """'NaN' or 'infinity' if any floating array holds one, else None."""
    for array in arrays:
        if device_of(array) is None or array.dtype.kind != "f":
            continue
        xp = namespace_of(array)
        if xp.any(xp.isnan(array)).item():
            return "NaN"
        if xp.any(xp.isinf(array)).item():
            return "infinity"
    return None


def note(node, arrays, out):
    """Remember the user's line on a node, and raise if this operation made the first bad value."""
    site = call_site()
    node.extra = {**(node.extra or {}), "site": site}
    outs = out if isinstance(out, (tuple, list)) else (out,)
    made = bad_values(outs)
    if made and not bad_values(arrays):
        raise AnomalyError(f"forward of {node.name}: made the first {made}, from finite inputs, at {site}")


def check_gradients(node, g, gradients):
    """Raise if the rule of `node` turned a finite cotangent into a NaN or an infinity."""
    made = bad_values(gradients)
    if not made or bad_values(g if isinstance(g, tuple) else (g,)):
        return
    site = (node.extra or {}).get("site", "unknown line (recorded outside detect_anomaly)")
    hint = _masked_branch(node, g)
    raise AnomalyError(f"backward of {node.name}: made the first {made}, from a finite cotangent, recorded at {site}{hint}")


def _masked_branch(node, g):
    """If the cotangent is zero where the rule failed, a `where` or mask above cut that branch off."""
    if isinstance(g, tuple):
        return ""
    xp = namespace_of(g)
    if xp.any(g == 0).item():
        return ("; part of its cotangent is zero, so this may be the branch that a where() or a mask did not select: "
                "0 * inf is NaN. Keep that branch finite, e.g. where(mask, f(where(mask, x, safe)), other)")
    return ""
