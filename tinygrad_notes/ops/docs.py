"""The docstrings of elementwise operations: one sentence, one formula and one example each, the rest composed."""
from ..autograd import elementwise

_TEMPLATE = """{sentence}

Formula: {formula}

Args:
    {args}

Returns:
    Tensor {returns}.

Raises:
    TypeError: an input is not numeric, or inputs live on different devices.{raises}

Example:
    >>> import tinygrad_notes as tn
    >>> tn.{call}
    {result}
"""
FLOATS = "floating dtypes; integers are taken as floats"
_UNARY = "{}: Tensor, NumPy array or number, any shape; {}."
_BINARY = "{}, {}: Tensors, NumPy arrays or numbers whose shapes broadcast; {}."


def doc(sentence, formula, call, result, *, args="x", kinds="any numeric dtype, no unit", returns=None, raises=""):
    """The docstring of an elementwise operation.

    Args:
        sentence: what it computes.
        formula: the mathematics, after "Formula:".
        call, result: the example, `tn.<call>` and what it prints.
        args: names of the array inputs, separated by spaces.
        kinds: the dtypes that are accepted.
        returns: what follows "Tensor" in the Returns section; default: the common shape and dtype.
        raises: a further line for the Raises section.
    """
    names = args.split()
    if len(names) == 1:
        lines, shape = _UNARY.format(names[0], kinds), f"of the shape and dtype of `{names[0]}`"
    else:
        lines = _BINARY.format(", ".join(names[:-1]), names[-1], kinds)
        shape = "of the broadcast shape and promoted dtype"
        raises = f"\n    ValueError: the shapes do not broadcast.{raises}"
    return _TEMPLATE.format(sentence=sentence, formula=formula, args=lines, returns=returns or shape, raises=raises,
                            call=call, result=result)


def function(name, forward, sentence, formula, call, result, *, args="x", kinds=FLOATS, **rules):
    """An elementwise operation of floating numbers together with its docstring."""
    return elementwise(name, forward, doc=doc(sentence, formula, call, result, args=args, kinds=kinds), **rules)
