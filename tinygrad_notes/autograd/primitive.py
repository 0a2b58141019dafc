"""Operations: a forward function on raw arrays, and one gradient rule per input, side by side.

    multiply = elementwise("multiply", lambda xp, x, y: xp.multiply(x, y),
                           x=lambda g, y: g * y,
                           y=lambda g, x: g * x)

A rule's parameter names say what it reads: `xp` (the array functions), `g` (the cotangent), an input
by its name, `<input>_shape` (its shape alone), `out`, or a keyword parameter of the operation.
The graph keeps exactly that. In a plain backward pass `xp` computes on raw arrays; with
`create_graph=True` it is `tinygrad_notes.ops` and everything is a Tensor: one rule, every order.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .call import define
from .plan import Primitive

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ..typing import ArrayLike
    from .tensor import Tensor

    class Operation(Protocol):
        """What users call, and in `primitive` what the engine knows of it."""

        primitive: Primitive

        def __call__(self, *tensors: ArrayLike | None, **attributes: Any) -> Tensor:
            """The result."""


def primitive(name: str, forward: Callable[..., Any], *, kind: str = "opaque", differentiable: bool = True,
              outputs: int = 1, doc: str | None = None, **rules: Callable[..., Any]) -> Operation:
    """Define an operation: its forward function and a gradient rule per input.

    Args:
        name: unique name; one of your own may be defined again, one of the package's may not.
        forward: `lambda xp, x, ..., *, attr, ...` on raw arrays.
        kind: what kind of mathematics, one of `KINDS`.
        differentiable: False if the output carries no gradient by nature (a comparison, an index).
        outputs: number of outputs, 1 or more (0: as many as the forward returns).
        doc: docstring of the returned function.
        **rules: per input name, `lambda` of any of `xp g out <inputs> <input>_shape <attrs>`.

    Returns:
        The function users call.

    Raises:
        ValueError: the name is taken, or a rule names an input or reads a name that does not exist.
        TypeError: the forward or a rule is not a plain function.

    Example:
        >>> import tinygrad_notes as tn
        >>> cube = tn.autograd.primitive("doc_cube", lambda xp, x: x * x * x, kind="elementwise",
        ...                              x=lambda g, x: g * 3 * x * x)
        >>> x = tn.tensor(2.0, requires_grad=True)
        >>> cube(x).backward(); x.grad
        tensor(12.)
    """
    call = define(Primitive(name, kind, forward, rules, None, differentiable, outputs))
    call.__doc__ = doc
    return call


def elementwise(name: str, forward: Callable[..., Any], *, differentiable: bool = True, doc: str | None = None,
                **rules: Callable[..., Any]) -> Operation:
    """`primitive` for a function of each element: inputs broadcast, the engine sums gradients back.

    Args:
        name, forward, differentiable, doc, rules: as in `primitive`.

    Returns:
        The function users call.

    Example:
        >>> import tinygrad_notes as tn
        >>> halve = tn.autograd.elementwise("doc_halve", lambda xp, x: x / 2, x=lambda g: g / 2)
        >>> halve(tn.tensor([3.0]))
        tensor([1.5000])
    """
    return primitive(name, forward, kind="elementwise", differentiable=differentiable, outputs=1, doc=doc, **rules)


def joint(name: str, forward: Callable[..., Any], rule: Callable[..., Any], *, kind: str = "opaque", outputs: int = 1,
          doc: str | None = None) -> Operation:
    """`primitive` whose gradients share work: `rule` returns those of all inputs as a tuple.

    `rule` may read `needs`, a tuple of booleans, to skip what nobody asked for. A variadic forward
    (`lambda xp, *xs`) reads `arrays` or `shapes`, tuples over its inputs. With several outputs `parts` is `g` with
    None in place of zeros for outputs that nobody used.

    Args:
        name, forward, kind, outputs, doc: as in `primitive`.
        rule: `lambda` of any of `xp g out needs <inputs> <attrs>`; returns a tuple with one gradient per input.

    Returns:
        The function users call.

    Example:
        >>> import tinygrad_notes as tn
        >>> both = tn.autograd.joint("doc_both", lambda xp, x, y: x * y, lambda g, x, y: (g * y, g * x))
        >>> both(tn.tensor([3.0]), tn.tensor([2.0]))
        tensor([6.])
    """
    call = define(Primitive(name, kind, forward, {}, rule, True, outputs))
    call.__doc__ = doc
    return call


def adjoint(name: str, forward: Callable[..., Any], transpose_name: str, transpose: Callable[..., Any], *,
            kind: str = "view", transpose_kind: str | None = None) -> tuple[Operation, Operation]:
    """A linear map and its transpose, each the other's gradient rule. Returns both functions.

    `forward(xp, x, *index, **attrs)` and `transpose(xp, y, *index, **attrs, shape)` share their integer
    inputs and keyword parameters; `shape` is the shape of `x`.

    Args:
        name, forward: the map.
        transpose_name, transpose: its transpose.
        kind, transpose_kind: what kind of mathematics each is.

    Returns:
        Two functions: the map, and its transpose.

    Example:
        >>> import tinygrad_notes as tn
        >>> stretch, total = tn.autograd.adjoint(
        ...     "doc_stretch", lambda xp, x, *, n: xp.broadcast_to(x, (n, *x.shape)),
        ...     "doc_total", lambda xp, y, *, n, shape: xp.sum(y, axis=0))
        >>> x = tn.tensor([1.0, 2.0], requires_grad=True)
        >>> stretch(x, n=3).sum().backward(); x.grad
        tensor([3., 3.])
    """
    code = forward.__code__
    index = code.co_varnames[2:code.co_argcount]
    attrs = code.co_varnames[code.co_argcount:code.co_argcount + code.co_kwonlyargcount]
    reads = "".join(f", {name}" for name in (*index, *attrs))
    passes = "".join([*(f", {name}" for name in index), *(f", {a}={a}" for a in attrs)])
    down = f"lambda xp, g, x_shape{reads}: xp.{transpose_name}(g{passes}, shape=x_shape)"
    up = f"lambda xp, g{reads}: xp.{name}(g{passes})"
    return (primitive(name, forward, kind=kind, x=_written(down)),
            primitive(transpose_name, transpose, kind=transpose_kind or kind, y=_written(up)))


def _written(text):
    """The rule that some text is; the text stays with it for who wants to read it."""
    rule = eval(text)
    rule.text = text.partition(": ")[2]
    return rule


def trilinear(name: str, forward: Callable[..., Any], dx_name: str, dx: Callable[..., Any], dw_name: str,
              dw: Callable[..., Any], *, kind: str = "contraction") -> tuple[Operation, Operation, Operation]:
    """A map linear in both inputs, and its two gradients, each a gradient of the others. Returns the three.

    `forward(xp, x, w, **attrs)`; `dx(xp, y, w, **attrs, shape)` with the shape of `x`;
    `dw(xp, x, y, **attrs, shape)` with the shape of `w`; `y` stands for the cotangent or output.

    Args:
        name, forward: the product.
        dx_name, dx, dw_name, dw: its gradients for `x` and for `w`.
        kind: what kind of mathematics.

    Returns:
        Three functions: the product and its two gradients.

    Example:
        >>> import tinygrad_notes as tn
        >>> product, _, _ = tn.autograd.trilinear(
        ...     "doc_product", lambda xp, x, w: x @ w,
        ...     "doc_product_dx", lambda xp, y, w, *, shape: y @ xp.matrix_transpose(w),
        ...     "doc_product_dw", lambda xp, x, y, *, shape: xp.matrix_transpose(x) @ y)
        >>> product(tn.ones((1, 2)), tn.ones((2, 1)))
        tensor([[2.]])
    """
    code = forward.__code__
    attrs = code.co_varnames[code.co_argcount:code.co_argcount + code.co_kwonlyargcount]
    reads = "".join(f", {a}" for a in attrs)
    passes = "".join(f", {a}={a}" for a in attrs)
    to_x = f"xp.{dx_name}({{}}, {{}}{passes}, shape={{}})"
    to_w = f"xp.{dw_name}({{}}, {{}}{passes}, shape={{}})"
    to_y = f"xp.{name}({{}}, {{}}{passes})"
    def rule(names, body):
        return _written(f"lambda xp, g, {names}{reads}: {body}")
    return (
        primitive(name, forward, kind=kind, x=rule("w, x_shape", to_x.format("g", "w", "x_shape")),
                  w=rule("x, w_shape", to_w.format("x", "g", "w_shape"))),
        primitive(dx_name, dx, kind=kind, y=rule("w", to_y.format("g", "w")),
                  w=rule("y, w_shape", to_w.format("g", "y", "w_shape"))),
        primitive(dw_name, dw, kind=kind, x=rule("y, x_shape", to_x.format("y", "g", "x_shape")),
                  y=rule("x", to_y.format("x", "g"))),
    )
