"""What to say when a name is unknown: the nearest known one, and all of them."""
from difflib import get_close_matches


def unknown(what, name, known, most=40):
    """The message for an unknown name.

    Example:
        >>> unknown("model", "vea", ["mlp", "vae"])
        "model: 'vea' is unknown; did you mean 'vae'? Known are mlp, vae"
    """
    known = sorted(known)
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}? Known" if near else "; known"
    listed = ", ".join(known[:most]) + (f" and {len(known) - most} more" if len(known) > most else "")
    return f"{what}: {name!r} is unknown{hint} are {listed}"
