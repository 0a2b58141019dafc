"""What a program written for PyTorch expects of array functions, so that it runs after its import is changed.

Functions follow the Array API standard. This package adds PyTorch's words (`dim`, `keepdim`), what functions mean in
these words, PyTorch's names, and the functions and methods that only PyTorch has. `docs/from_pytorch.md` lists what
differs.
"""
from . import arrays, meanings, methods, names, parts, spaces, statistics, words
from .arrays import *  # noqa: F403
from .meanings import Found
from .names import *  # noqa: F403
from .parts import *  # noqa: F403
from .statistics import *  # noqa: F403

globals().update(words.SPELLED)
globals().update(meanings.MEANINGS)
globals().update(names.aliases())

__all__ = sorted({*words.SPELLED, *meanings.MEANINGS, *names.aliases(), *names.__all__, *parts.__all__, *arrays.__all__,
                  Found.__name__, *statistics.__all__})

words.bind({**words.SPELLED, **meanings.MEANINGS})
methods.bind()
spaces.bind()
