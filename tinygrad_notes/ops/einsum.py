"""Sums of products over named axes.

Every call becomes a chain of products of two operands in which each axis name occurs once per operand
and stands in the other operand or in the result. The gradients of such a product have the same form.
"""
from functools import lru_cache
from math import prod
from string import ascii_letters

import numpy as np

from ..autograd import Tensor, primitive
from ..autograd.tensor import as_tensor
from .diagonal import diagonal

__all__ = ["einsum"]


# The product of two -------------------------------------------------------------
@lru_cache(maxsize=4096)
def _plan(xs, ys, out):
    """How to compute a product of two by `matmul` or `multiply`: permutations and group sizes."""
    batch = [n for n in xs if n in ys and n in out]
    summed = [n for n in xs if n in ys and n not in out]
    left = [n for n in xs if n not in ys]
    right = [n for n in ys if n not in xs]
    if not summed:
        order_x, order_y = [n for n in out if n in xs], [n for n in out if n in ys]
        return (None, tuple(map(xs.index, order_x)), tuple(map(ys.index, order_y)),
                tuple(n in xs for n in out), tuple(n in ys for n in out))
    result = [*batch, *left, *right]
    return ((len(batch), len(left), len(right)),
            tuple(map(xs.index, [*batch, *left, *summed])), tuple(map(ys.index, [*batch, *summed, *right])),
            tuple(map(result.index, out)), None)


def _forward(xp, x, y, *, xs, ys, zs):
    groups, order_x, order_y, a, b = _plan(xs, ys, zs)
    x, y = _permuted(xp, x, order_x), _permuted(xp, y, order_y)
    if groups is None:
        sizes_x, sizes_y = iter(x.shape), iter(y.shape)
        return xp.multiply(xp.reshape(x, tuple([next(sizes_x) if has else 1 for has in a])),
                           xp.reshape(y, tuple([next(sizes_y) if has else 1 for has in b])))
    n_batch, n_left, n_right = groups
    batch, left, right = x.shape[:n_batch], x.shape[n_batch:n_batch + n_left], y.shape[y.ndim - n_right:]
    n_summed = x.ndim - n_batch - n_left
    if n_left != 1 or n_summed != 1:
        x = xp.reshape(x, (*batch, prod(left), prod(x.shape[n_batch + n_left:])))
    if n_right != 1 or n_summed != 1:
        y = xp.reshape(y, (*batch, prod(y.shape[n_batch:n_batch + n_summed]), prod(right)))
    product = xp.matmul(x, y)
    if n_left != 1 or n_right != 1:
        product = xp.reshape(product, (*batch, *left, *right))
    return _permuted(xp, product, a)


def _permuted(xp, x, order):
    return x if order == tuple(range(len(order))) else xp.permute_dims(x, order)


_product = primitive("einsum_pair", _forward, kind="contraction",
                     x=lambda xp, g, y, xs, ys, zs: xp.einsum_pair(g, y, xs=zs, ys=ys, zs=xs),
                     y=lambda xp, g, x, xs, ys, zs: xp.einsum_pair(g, x, xs=zs, ys=xs, zs=ys))


def contract(x, y, xs, ys, zs):
    """The product of two Tensors whose axes have the names `xs` and `ys`, summed over those not in `zs`."""
    return _product(x, y, xs=tuple(xs), ys=tuple(ys), zs=tuple(zs))


# What the user writes -----------------------------------------------------------
@lru_cache(maxsize=4096)
def _parse(subscripts, shapes):
    """Names of the axes of every operand and of the result, the size of each name, and whether it is a plain pair."""
    text = "".join(subscripts.split())
    terms, arrow, result = text.partition("->")
    terms = terms.split(",")
    if len(terms) != len(shapes):
        raise ValueError(f"einsum: {subscripts!r} names {len(terms)} operands, got {len(shapes)}")
    hidden = 0
    for term, shape in zip(terms, shapes):
        bare = term.replace("...", "", 1)
        if not all(c.isascii() and c.isalpha() for c in bare):
            raise ValueError(f"einsum: expected letters and at most one '...' in {term!r} of {subscripts!r}")
        if len(bare) > len(shape) or (bare == term and len(bare) != len(shape)):
            raise ValueError(f"einsum: {term!r} of {subscripts!r} names {len(bare)} axes, "
                             f"its operand has shape {shape}")
        hidden = max(hidden, len(shape) - len(bare))
    names, sizes = [], {}
    for term, shape in zip(terms, shapes):
        names.append(_expand(term, len(shape) - len(term.replace("...", ""))))
        if len(set(zip(names[-1], shape))) != len(set(names[-1])):
            raise ValueError(f"einsum: a letter of {term!r} names axes of different sizes, shape {shape}")
        for name, size in zip(names[-1], shape):
            if sizes.setdefault(name, size) == 1:
                sizes[name] = size
            elif size not in (1, sizes[name]):
                raise ValueError(f"einsum: axis {name!r} of {subscripts!r} has sizes {sizes[name]} and {size}")
    if arrow:
        if not all(c.isascii() and c.isalpha() for c in result.replace("...", "", 1)):
            raise ValueError(f"einsum: expected letters and at most one '...' in the result of {subscripts!r}")
        out = _expand(result, hidden if "..." in result else 0)
    else:
        letters = [name for term in names for name in term if isinstance(name, str)]
        out = tuple(range(-hidden, 0)) + tuple(sorted(n for n in set(letters) if letters.count(n) == 1))
    if len(set(out)) != len(out) or not set(out) <= set(sizes):
        raise ValueError(f"einsum: the result of {subscripts!r} must name axes of the operands, each once")
    plain = len(names) == 2 and all(
        1 not in shape and len(set(term)) == len(term) and set(term) <= {*out, *other}
        for shape, term, other in zip(shapes, names, names[::-1]))
    return tuple(names), out, sizes, plain


def _expand(term, hidden):
    """The names of one term; the axes of '...' are numbered from the last, -1, to the first."""
    before, dots, after = term.partition("...")
    return (*before, *(range(-hidden, 0) if dots else ()), *after)


@lru_cache(maxsize=4096)
def _order(names, out, sizes):
    """In which order to multiply: pairs of positions, the product goes to the end of the list."""
    if len(names) == 2:
        return ((0, 1),)
    sizes = dict(sizes)
    letters = dict(zip(sizes, ascii_letters))
    terms = ["".join([letters[n] for n in term]) for term in names]
    result = "".join([letters[n] for n in out if any(n in term for term in names)])
    shapes = [np.broadcast_to(np.empty(()), [sizes[n] for n in term]) for term in names]  # no memory
    how = "optimal" if len(names) < 5 else "greedy"
    path, _ = np.einsum_path(f"{','.join(terms)}->{result}", *shapes, optimize=how)
    steps, count = [], len(names)
    for step in path[1:]:
        step = sorted(step)
        while len(step) > 1:  # several at once: one after the other
            steps.append((step[0], step[1]))
            count -= 1
            step = [i - (i > step[0]) - (i > step[1]) for i in step[2:]] + [count - 1]
    return tuple(steps)


def einsum(subscripts, /, *operands):
    """The sum of products over named axes, in Einstein's convention.

    Formula: 'ij,jk->ik' means out[i, k] = sum_j x[i, j] y[j, k]

    Args:
        subscripts: a letter per axis of each operand, separated by commas; after '->' the axes of the result.
            Without '->' the result has the letters that occur once, in alphabetical order. '...' stands for
            leading axes that broadcast; a letter twice in one operand takes its diagonal. An axis of
            size 1 stretches to the size of its letter elsewhere.
        *operands: numeric.

    Returns:
        A Tensor with the axes of the result.

    Raises:
        ValueError: the subscripts do not fit the operands, or name the result's axes wrongly.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.einsum("ij,j->i", tn.tensor([[1., 2.], [3., 4.]]), tn.tensor([1., 10.]))
        tensor([21., 43.])
        >>> tn.einsum("ii", tn.tensor([[1., 2.], [3., 4.]]))
        tensor(5.)
    """
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum: subscripts: expected a string, got {type(subscripts).__name__}")
    if not operands:
        raise ValueError("einsum: expected at least one operand")
    like = next((x for x in operands if isinstance(x, Tensor)), None)
    operands = [as_tensor(x, like) for x in operands]
    names, out, sizes, plain = _parse(subscripts, tuple([x.shape for x in operands]))
    if plain:
        return _product(*operands, xs=names[0], ys=names[1], zs=out)
    operands, names = map(list, zip(*[_distinct(x, term) for x, term in zip(operands, names)]))
    for i, term in enumerate(names):
        shared = set(out).union(*names[:i], *names[i + 1:])
        operands[i], names[i] = _summed(operands[i], term, shared)
    for i, j in _order(tuple(names), out, tuple(sizes.items())) if len(names) > 1 else ():
        x, y, xs, ys = operands[i], operands[j], names[i], names[j]
        for k in sorted((i, j), reverse=True):
            del operands[k], names[k]
        kept = set(out).union(*names)
        product = tuple(dict.fromkeys(n for n in (*xs, *ys) if n in kept)) if names else _present(out, xs, ys)
        operands.append(contract(x, y, xs, ys, product))
        names.append(product)
    return _result(operands[0], names[0], out, sizes)


def _present(out, xs, ys):
    return tuple([n for n in out if n in xs or n in ys])


def _distinct(x, term):
    """An operand without axes that broadcast, and with the diagonal of a name that stands twice."""
    from .shape import reshape
    if 1 in x.shape:  # an axis of size 1 is dropped: it broadcasts by not being there
        kept = [i for i, n in enumerate(x.shape) if n != 1]
        term = tuple([term[i] for i in kept])
        x = reshape(x, tuple([x.shape[i] for i in kept]))
    while len(set(term)) != len(term):
        name = next(n for n in term if term.count(n) > 1)
        i, j = [k for k, n in enumerate(term) if n == name][:2]
        x = diagonal(x, 0, i, j)
        term = (*(n for k, n in enumerate(term) if k not in (i, j)), name)
    return x, term


def _summed(x, term, shared):
    """An operand summed over the names that stand in it alone."""
    from .reduce import sum
    alone = tuple([i for i, n in enumerate(term) if n not in shared])
    return (sum(x, axis=alone), tuple([n for n in term if n in shared])) if alone else (x, term)


def _result(x, term, out, sizes):
    """The last product with the axes in the order of the result; axes of size 1 come back."""
    from .arrange import permute_dims
    from .shape import reshape
    order = tuple([term.index(n) for n in out if n in term])
    if order != tuple(range(len(order))):
        x = permute_dims(x, order)
    if len(order) != len(out):
        x = reshape(x, tuple([sizes[n] if n in term else 1 for n in out]))
    return x
