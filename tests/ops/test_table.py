"""Every operation, checked in every way, from one table: the rows of `rows_*.py`."""
import dis
import functools
import importlib
import inspect
import pkgutil
import types
import weakref

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.ops.drive import (
    BROKEN,
    ROWS,
    active_of,
    call,
    close,
    cotangents,
    find,
    host,
    inputs_of,
    layouts_of,
    nodes_of,
    oracle,
    pull,
    tensors_of,
    tracked,
)
from tests.ops.numeric import check_gradients
from tinygrad_notes.autograd import PRIMITIVES

# What needs no row, each with its reason: whole modules of `ops`, and single names.
NO_ROW_MODULES = {
    "create": "makes tensors from numbers: tests/ops/test_create.py",
    "random": "draws numbers: tests/ops/test_random.py", "draws": "draws numbers: tests/ops/test_draws.py",
}
NO_ROW = {
    "allclose": "answers True or False: tests/ops/test_logic.py",
    "array_equal": "answers True or False: tests/ops/test_logic.py",
    "fftfreq": "makes a tensor from numbers", "rfftfreq": "makes a tensor from numbers",
    "broadcast_shapes": "computes with shapes: no tensor goes in or out",
    "can_cast": "answers about dtypes", "finfo": "answers about dtypes", "iinfo": "answers about dtypes",
    "isdtype": "answers about dtypes", "result_type": "answers about dtypes",
}

# Rules that no row can reach, each with its reason.
UNREACHED = {
    "cofactor_tangent": "its second rule is the third derivative of det: tests/ops/test_linalg.py",
    "attention: seed": "an integer, which has no gradient",
    "attention_of_parts: seed": "an integer, which has no gradient",
    "linear_gelu": "of long arrays alone, inside transformer layers: tests/ops/test_perceptron.py",
    "moving_gamma": "its value does not depend on what it moves with: tests/ops/test_incomplete.py",
    "moving_dirichlet": "its value does not depend on what it moves with: tests/ops/test_incomplete.py",
    "take_windows": "its rule is the third derivative of max pooling: tests/nn/test_pooling.py",
    "alias": "stands for a leaf that was given other values: tests/autograd",
    "pick": "one of several outputs; visited by the engine, not by its rule",
    **dict.fromkeys(("standardize: mean", "standardize: var", "standardize_pull: mean", "standardize_pull: var"),
                    "come from `moments`, which has no gradient; x has all of it"),
}

DIFFERENTIABLE = [row for row in ROWS if active_of(row, inputs_of(row))]


def rows(selection):
    return pytest.mark.parametrize("row", selection, ids=[row.id for row in selection])


def test_every_file_of_rows_loads():
    assert not BROKEN, BROKEN


def test_ids_are_unique():
    ids = [row.id for row in ROWS]
    assert sorted(set(ids)) == sorted(ids)


@rows(ROWS)
def test_forward_equals_oracle(row):
    arrays = inputs_of(row)
    kept = [a.copy() for a in arrays]
    outputs, expected = call(row, tensors_of(arrays)), oracle(row, arrays)
    assert len(outputs) == len(expected)
    for i, (out, want) in enumerate(zip(outputs, expected)):
        close(host(out), want, row.tolerance, f"output {i}")
        if any(a.dtype == np.float64 for a in arrays) and want.dtype.kind == "f":
            assert out.dtype == want.dtype, f"output {i}"
        else:
            assert out.dtype.kind == want.dtype.kind or {out.dtype.kind, want.dtype.kind} <= {"i", "u"}, f"output {i}"
    for a, k in zip(arrays, kept):
        np.testing.assert_array_equal(a, k, err_msg="the input was modified")


@pytest.mark.same_on_strict
@rows(ROWS)
def test_dtype_is_kept(row):
    for dtype in row.dtypes:
        arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in inputs_of(row)]
        wide = [a.astype("float64") if a.dtype.kind == "f" else a for a in arrays]
        tolerance = {"float64": row.tolerance, "float16": 1e-2}.get(dtype, row.tolerance32)
        floating = any(a.dtype.kind == "f" for a in arrays)
        for out, want in zip(call(row, tensors_of(arrays)), call(row, tensors_of(wide))):
            assert not floating or want.dtype != "float64" or out.dtype == dtype, f"{dtype} became {out.dtype}"
            close(host(out), host(want), tolerance, dtype)
        active = active_of(row, arrays)
        if active and tracked(call(row, tensors_of(wide, active))):
            low, high = pull(row, arrays, active)[2], pull(row, wide, active)[2]
            for i, g, want in zip(active, low, high):
                assert g.dtype == arrays[i].dtype, f"gradient of a {arrays[i].dtype} input is {g.dtype}"
                close(host(g), host(want), 10 * tolerance, f"gradient in {dtype}")


@pytest.mark.same_on_strict
@rows([row for row in ROWS if row.layouts])
def test_memory_layout_does_not_matter(row):
    arrays = inputs_of(row)
    active = active_of(row, arrays)
    plain = [host(t) for t in call(row, tensors_of(arrays))]
    gradients = [host(g) for g in pull(row, arrays, active)[2]] if active else []
    for layout in ("fortran", "reversed", "strided"):
        changed = [layouts_of(a).get(layout, a) for a in arrays]
        for out, want in zip(call(row, tensors_of(changed)), plain):
            close(host(out), want, row.tolerance, layout)
        for g, want in zip(pull(row, changed, active)[2] if active else (), gradients):
            close(host(g), want, 10 * row.tolerance, f"gradient, {layout}")


@pytest.mark.same_on_strict
@rows([row for row in ROWS if row.elementwise])
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3)], ids=str)
def test_scalars_and_nothing(row, shape):
    arrays = [np.resize(a, shape) if 0 not in shape else np.zeros(shape, a.dtype) for a in inputs_of(row)]
    for out, want in zip(call(row, tensors_of(arrays)), oracle(row, arrays)):
        close(host(out), want, row.tolerance, "output")
        assert type(out) is tn.Tensor
    active = active_of(row, arrays)
    if active:
        for i, g in zip(active, pull(row, arrays, active)[2]):
            assert g.shape == shape and g.dtype == arrays[i].dtype


@pytest.mark.same_on_strict
@rows([row for row in ROWS if row.elementwise and len(inputs_of(row)) > 1])
def test_inputs_broadcast(row):
    arrays = inputs_of(row)
    sets = [[(3, 1), (4,), (2, 1, 1)], [(), (2, 3), (3,)], [(1, 3), (2, 1), ()], [(0, 3), (1, 1), (3,)]]
    for shapes in sets:
        small = [np.resize(a, shapes[i % 3]) for i, a in enumerate(arrays)]
        full = [np.array(a) for a in np.broadcast_arrays(*small)]
        for out, want in zip(call(row, tensors_of(small)), oracle(row, small)):
            close(host(out), want, row.tolerance, f"shapes {shapes}")
        active = active_of(row, arrays)
        if active:
            found, whole = pull(row, small, active)[2], pull(row, full, active)[2]
            for i, g, wide in zip(active, found, whole):
                close(host(g), summed(host(wide), small[i].shape), 1e-12, f"gradient, shapes {shapes}")


def summed(array, shape):
    """`array` summed to `shape` by a loop over its elements: the slow twin of un-broadcasting."""
    total = np.zeros(shape)
    for index in np.ndindex(array.shape):
        kept = index[array.ndim - len(shape):]
        total[tuple(0 if n == 1 else k for n, k in zip(shape, kept))] += array[index]
    return total


@rows(DIFFERENTIABLE)
def test_gradient(row):
    arrays = inputs_of(row)
    check_gradients(row, arrays, active_of(row, arrays), order=1)


@pytest.mark.same_on_strict
@rows([row for row in DIFFERENTIABLE if row.order >= 2])
def test_second_derivative(row):
    arrays = inputs_of(row)
    check_gradients(row, arrays, active_of(row, arrays), order=2)


@pytest.mark.same_on_strict
@rows(DIFFERENTIABLE)
def test_only_what_is_needed(row):
    arrays = inputs_of(row)
    active = active_of(row, arrays)
    every = dict(zip(active, pull(row, arrays, active)[2]))
    for subset in [(i,) for i in active] + ([active[1:]] if len(active) > 2 else []):
        tensors = tensors_of(arrays, subset)
        ends = tracked(call(row, tensors))
        if not ends:
            assert not np.any(host(every[subset[0]])), "no graph for an input that has a gradient"
            continue
        for end, u in zip(ends, cotangents(ends)):
            end.backward(u, retain_graph=True)
        for i, t in enumerate(tensors):
            if i not in subset:
                assert t.grad is None, f"input {i} did not want a gradient"
            elif len(ends) == len(tracked(call(row, tensors_of(arrays, active)))):
                found = np.zeros(t.shape) if t.grad is None else host(t.grad)
                close(found, host(every[i]), 1e-12, f"gradient of input {i} alone")


@pytest.mark.same_on_strict
@rows(DIFFERENTIABLE)
def test_graph_keeps_only_what_is_read(row):
    arrays = inputs_of(row)
    active = active_of(row, arrays)
    leaves = tensors_of(arrays, active)
    interior = [tn.add(t, 0.0) if i in active else t for i, t in enumerate(leaves)]
    alive = [weakref.ref(interior[i].data) for i in active]
    outputs = call(row, interior)
    kept = []
    for node in nodes_of(outputs):
        if node.saved:  # a link (`pick`) saves nothing
            for how, value in zip(node.plan.keep, node.saved):
                if how is None:
                    assert value is None, f"{node.name} holds what no rule of it reads"
                elif how == "shape":
                    assert type(value) is tuple, f"{node.name} holds an array where its rule reads a shape"
                else:
                    kept += value if isinstance(value, tuple) else [value]
    kept = [part for a in [*kept, *(t.data for t in outputs)] for part in bases(a)]
    ids = {id(a) for a in kept}
    expected = [id(interior[i].data) in ids for i in active]
    del kept, interior, node, value, how
    assert [r() is not None for r in alive] == expected, "an input stays alive that no rule reads"


def bases(array):
    """An array and those whose memory it looks into."""
    while array is not None:
        yield array
        array = getattr(array, "base", None)


@pytest.mark.same_on_strict
@rows(DIFFERENTIABLE)
def test_backward_twice_is_the_same(row):
    arrays = inputs_of(row)
    active = active_of(row, arrays)
    kept = [a.copy() for a in arrays]
    tensors = tensors_of(arrays, active)
    ends = tracked(call(row, tensors))
    wanted, us = [tensors[i] for i in active], cotangents(ends)
    before = [host(u).copy() for u in us]
    first = tn.autograd.grad(ends, wanted, us, retain_graph=True, allow_unused=True)
    second = tn.autograd.grad(ends, wanted, us, allow_unused=True)
    for a, b in zip(first, second):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_array_equal(host(a), host(b))
            assert not any(np.shares_memory(host(a), x) for x in arrays), "the gradient is the memory of an input"
    for a, k in zip([*arrays, *map(host, us)], [*kept, *before]):
        np.testing.assert_array_equal(a, k, err_msg="backward modified an input or a cotangent")


@pytest.mark.same_on_strict
@rows([row for row in ROWS if row.strict])
def test_cpu_equals_strict(row):
    arrays = inputs_of(row)
    active = active_of(row, arrays)
    with tn.as_device("cpu"):
        plain = [host(t) for t in call(row, tensors_of(arrays))]
    with tn.as_device("strict"):
        outputs = call(row, tensors_of(arrays))
    for out, want in zip(outputs, plain):
        assert out.device == "strict", f"the result lives on {out.device}"
        close(host(out), want, 1e-14, "output")
    for create_graph in (False, True)[:row.order if active else 0]:
        results = []
        for device in ("cpu", "strict"):
            with tn.as_device(device):
                _, wanted, gradients = pull(row, arrays, active, create_graph=create_graph)
                assert all(g.device == device for g in gradients), "a gradient left the device"
                if create_graph and tracked(gradients):
                    ends = tracked(gradients)
                    second = tn.autograd.grad(ends, wanted, cotangents(ends, 2), allow_unused=True)
                    gradients = [*gradients, *(g for g in second if g is not None)]
                results.append([host(g) for g in gradients])
        for a, b in zip(*results):
            close(b, a, 1e-13, "gradient")


# The table as a whole ---------------------------------------------------------------
def public_operations():
    """Every public function of the modules of `ops`, by its public name: `sum`, `linalg.inv`."""
    names = {}
    for found in pkgutil.iter_modules(tn.ops.__path__):
        if found.name not in NO_ROW_MODULES:
            module = importlib.import_module(f"tinygrad_notes.ops.{found.name}")
            prefix = f"{found.name}." if found.ispkg else ""
            names |= {prefix + n: getattr(module, n) for n in getattr(module, "__all__", ())}
    return {name: f for name, f in sorted(names.items()) if isinstance(f, types.FunctionType)}


@pytest.mark.parametrize("name", public_operations())
def test_every_operation_has_a_row(name):
    assert name in covered() or name in NO_ROW, f"{name} is public and has no row in tests/ops/rows_*.py"


@functools.cache
def covered():
    """The names that have a row, or are another name of a function that has one."""
    named = {row.name for row in ROWS}
    functions = {inspect.unwrap(find(name)) for name in named}  # without PyTorch's words
    return named | {name for name, f in public_operations().items() if inspect.unwrap(f) in functions}


def test_no_exception_is_stale():
    assert not set(NO_ROW) & covered(), "these have a row now: take them out of NO_ROW"
    assert set(NO_ROW) <= set(public_operations()), "NO_ROW names what does not exist"


def test_every_rule_is_reached_by_a_row():
    """A rule that no row runs is a rule that nothing checks."""
    reached = set()
    for row in DIFFERENTIABLE:
        arrays = inputs_of(row)
        active = active_of(row, arrays)
        outputs, wanted, gradients = pull(row, arrays, active, create_graph=True)
        ends = nodes_of([*outputs, *gradients])
        if row.order >= 2 and tracked(gradients):
            us = cotangents(tracked(gradients))
            second = tn.autograd.grad(tracked(gradients), wanted, us, create_graph=True, allow_unused=True)
            ends += nodes_of([g for g in second if g is not None])
        for node in ends:
            reached |= {(node.name, i) for i in node.plan.wanted}
    missing = [f"{p.name}: {name}" for p in defined() for i, name in enumerate(p.inputs)
               if (name in p.rules or p.joint) and (p.name, i) not in reached
               and not (p.name.endswith("_and_slope") and tn.current_device().name != "cpu")  # for long host arrays
               and not {p.name, f"{p.name}: {name}"} & set(UNREACHED)]
    assert not missing, f"rules that no row reaches: {missing}"


def defined():
    """The operations of the package, without those that tests and doctests define."""
    return [p for p in PRIMITIVES.values() if (p.forward.__module__ or "").startswith("tinygrad_notes.")]


@pytest.mark.parametrize("op", defined(), ids=lambda op: op.name)
def test_rules_use_every_name_they_read(op):
    """What a rule names, the graph keeps: a name it does not use is memory held for nothing."""
    for key, rule in [*op.rules.items(), ("joint", op.joint)]:
        if rule is not None:
            code = rule.__code__
            used = {name for i in dis.get_instructions(code) if i.opname.startswith(("LOAD", "STORE_FAST_LOAD"))
                    for name in (i.argval if isinstance(i.argval, tuple) else (i.argval,))} | set(code.co_cellvars)
            unused = [n for n in code.co_varnames[:code.co_argcount + code.co_kwonlyargcount] if n not in used | {"xp"}]
            assert not unused, f"rule {key!r} of {op.name} reads {unused} and does not use it"
