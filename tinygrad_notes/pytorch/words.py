"""PyTorch's words for the array functions: `dim`, `keepdim` and other names of arguments, and further positions.

The functions themselves follow the Array API standard. One table says which words mean which of their arguments, and
which keyword-only arguments PyTorch also takes by position. `spelled` makes a function understand both; inside the
library nobody pays for it, because modules import the functions themselves.
"""
from __future__ import annotations

import functools

from .. import ops
from ..autograd import Tensor

VARIADIC = 0x04  # a flag of code with *args, as `inspect` names it; asking `inspect` takes a tenth of the import

# Names of functions : word=argument (a number: the position of a positional argument) : further positions.
TABLE = """
all amax amin any argmax argmin count_nonzero nanmean aminmax : dim=axis keepdim=keepdims : keepdims
sum mean prod nansum : dim=axis keepdim=keepdims : keepdims
logsumexp : dim=axis keepdim=keepdims : keepdims
cumsum cumprod logcumsumexp cummax cummin : dim=axis :
softmin cumulative_sum cumulative_prod : dim=axis :
topk : dim=axis : axis largest sorted
kthvalue : dim=axis keepdim=keepdims : axis keepdims
argsort : dim=axis : axis descending stable
quantile : dim=axis keepdim=keepdims interpolation=method : keepdims
concat stack : tensors=0 dim=axis : axis
unstack : dim=axis : axis
chunk array_split : dim=axis sections=1 tensor_indices_or_sections=1 : axis
flip : dims=axis : axis
roll : shifts=1 dims=axis : axis
rot90 : dims=axes :
tile : dims=1 :
flatten : start_dim=start_axis end_dim=end_axis :
unflatten : dim=axis :
unsqueeze : dim=axis :
diagonal diag_embed : dim1=axis1 dim2=axis2 :
diag : diagonal=k :
tril triu : diagonal=k : k
swapaxes : axis0=axis1 axis1=axis2 dim0=axis1 dim1=axis2 :
moveaxis : source=1 destination=2 :
permute_dims : dims=axes :
transpose : dim0=1 dim1=2 :
broadcast_to : size=shape :
gather index_select : dim=1 index=2 :
index_add index_copy : dim=1 index=2 source=3 :
index_fill : dim=1 index=2 value=3 :
scatter_add : dim=1 index=2 src=3 :
scatter_reduce : dim=1 index=2 src=3 reduce=4 :
masked_fill : mask=1 value=2 :
masked_select : mask=1 :
masked_scatter : mask=1 source=2 :
take : index=1 :
take_along_axis : indices=1 dim=axis : axis
addcmul addcdiv : tensor1=1 tensor2=2 :
addmm : mat1=1 mat2=2 :
addmv : mat=1 vec=2 :
addr : vec1=1 vec2=2 :
addbmm baddbmm : batch1=1 batch2=2 :
bmm mm : mat2=1 :
mv : vec=1 :
outer : vec2=1 :
tensordot : dims=axes : axes
cross vecdot : dim=axis : axis
diff : dim=axis : n axis prepend append
trapezoid cumulative_trapezoid : dim=axis :
linspace : end=1 steps=2 :
logspace : end=1 steps=2 : base
full : size=shape :
zeros ones empty rand randn : size=0 :
eye : m=1 :
"""


def spelled(function, words, positions=()):
    """`function`, which also understands other names of its arguments.

    Args:
        function: takes its arrays by position.
        words: {other name: name of a keyword argument, or the position of a positional one}.
        positions: names of the keyword arguments that may follow its positional ones by position.

    Returns:
        A function with the signature and the docstring of `function`.
    """
    words = {"input": 0, "other": 1, **words}
    inner = function
    while hasattr(inner, "__wrapped__"):
        inner = inner.__wrapped__
    places = inner.__code__.co_argcount
    if inner.__code__.co_flags & VARIADIC:
        positions = ()

    @functools.wraps(function)
    def call(*args, **given):
        if positions and len(args) > places:
            args, given = args[:places], further(function, args[places:], positions, given)
        if given and not words.keys().isdisjoint(given):
            args, given = translated(function, args, given, words)
        return function(*args, **given)
    return call


def further(function, rest, positions, given):
    """The keyword arguments of a call, with those that came by position."""
    if len(rest) > len(positions):
        raise TypeError(f"{function.__name__}: {len(rest) - len(positions)} positional arguments too many")
    named = dict(zip(positions, rest))
    twice = named.keys() & given
    if twice:
        raise TypeError(f"{function.__name__}: got {', '.join(sorted(twice))} twice, by position and by name")
    return {**given, **named}


def translated(function, args, given, words):
    """The arguments of a call in the words of the function."""
    places, named = dict(enumerate(args)), {}
    for word, value in given.items():
        target = words.get(word, word)
        taken = places if isinstance(target, int) else named
        if target in taken or (target != word and target in given):
            raise TypeError(f"{function.__name__}: {word!r} names an argument that was given already")
        taken[target] = value
    missing = [i for i in range(len(places)) if i not in places]
    if missing:
        raise TypeError(f"{function.__name__}: argument {missing[0]} is missing, got {', '.join(given)}")
    return tuple(places[i] for i in range(len(places))), named


def table():
    """{name: (words, positions)} of the table."""
    found = {}
    for line in TABLE.strip().splitlines():
        names, words, positions = (part.split() for part in line.split(":"))
        pairs = dict(word.split("=") for word in words)
        meant = {word: int(target) if target.isdigit() else target for word, target in pairs.items()}
        found |= dict.fromkeys(names, (meant, tuple(positions)))
    return found


# Functions that let a 0-d tensor have an axis of length one, as in PyTorch, and the further arguments that get it too.
POINTS: dict[str, tuple[int, ...]] = {
    "index_select": (2,), "index_add": (2, 3), "index_copy": (2, 3), "index_fill": (2,),
    "scatter": (2, 3), "scatter_add": (2, 3), "scatter_reduce": (2, 3), "topk": (), "kthvalue": (), "argsort": (),
}


def pointed(function, arrays):
    """`function`, which gives a 0-d tensor an axis for the time of the call, and the arguments at `arrays` too."""
    @functools.wraps(function)
    def call(x, *args, **given):
        x = ops.as_tensor(x)
        if x.ndim:
            return function(x, *args, **given)
        args = [ops.ravel(arg) if i in arrays else arg for i, arg in enumerate(args, 1)]
        found = function(ops.ravel(x), *args, **given)
        if isinstance(found, tuple):
            return type(found)(*[ops.reshape(part, ()) for part in found])
        return ops.reshape(found, ())
    return call


def _gather(x, axis, index, /):
    """`gather`, whose result has the shape of `index` also where `x` is 0-d."""
    x = ops.as_tensor(x)
    return ops.gather(x, axis, index) if x.ndim else ops.reshape(
        ops.gather(ops.ravel(x), axis, ops.ravel(index)), ops.as_tensor(index).shape)


def bind(functions):
    """Let the methods of Tensor be these functions too, where it has methods of their names."""
    for name, function in functions.items():
        if name in vars(Tensor):
            setattr(Tensor, name, function)


POINTED = {name: pointed(getattr(ops, name), arrays) for name, arrays in POINTS.items()}
POINTED["gather"] = functools.wraps(ops.gather)(_gather)
SPELLED = {name: spelled(POINTED.get(name) or getattr(ops, name), *how) for name, how in table().items()}
