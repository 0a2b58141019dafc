"""Running one row of the table: its inputs as Tensors, its outputs and gradients as lists of NumPy arrays."""
import importlib
import zlib
from pathlib import Path

import numpy as np

import tinygrad_notes as tn
from tinygrad_notes.autograd import Tensor
from tinygrad_notes.autograd.node import Node


def inputs_of(row):
    """The arrays of a row, the same in every test."""
    arrays = row.inputs(np.random.default_rng(zlib.crc32(row.id.encode())))
    return [np.asarray(a) for a in (arrays if isinstance(arrays, (tuple, list)) else (arrays,))]


def load():
    """All rows, and what is wrong with the files and rows that cannot be used: one must not hide all others."""
    rows, broken = [], {}
    for path in sorted(Path(__file__).parent.glob("rows_*.py")):
        try:
            found = importlib.import_module(f"tests.ops.{path.stem}").ROWS
        except Exception as error:
            broken[path.name] = error
            continue
        for row in found:
            try:
                inputs_of(row)
                rows.append(row)
            except Exception as error:
                broken[row.id] = error
    return rows, broken


def active_of(row, arrays):
    """The positions of the inputs that carry a gradient."""
    if row.order == 0:
        return ()
    if row.differentiable is not None:
        return row.differentiable
    return tuple(i for i, a in enumerate(arrays) if a.dtype.kind == "f")


def tensors_of(arrays, active=(), device=None):
    """Leaves that share the memory of the arrays (on the CPU); those in `active` want a gradient."""
    device = device or tn.current_device()
    return [tn.Tensor(a, device=device, requires_grad=i in active) for i, a in enumerate(arrays)]


def listed(result):
    """One or several outputs as a list."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def find(name):
    """The public function of a dotted name."""
    found = tn
    for part in name.split("."):
        found = getattr(found, part)
    return found


def call(row, tensors):
    """The outputs of a row, a list of Tensors."""
    return listed(row.call(tn, *tensors) if row.call else find(row.name)(*tensors))


def oracle(row, arrays):
    """What the outputs should be, a list of arrays."""
    with np.errstate(all="ignore"):
        return [np.asarray(a) for a in listed(row.oracle(*arrays))]


def host(tensor):
    """The values of a Tensor in NumPy."""
    return tensor.device.to_numpy(tensor.data)


def cotangents(outputs, seed=1):
    """Random cotangents for the floating outputs; never ones, which hide a factor."""
    rng = np.random.default_rng(seed)
    drawn = [rng.standard_normal(t.shape) for t in outputs]
    return [tn.Tensor(np.asarray(u, dtype=t.dtype), device=t.device) for u, t in zip(drawn, outputs)]


def tracked(outputs):
    """The outputs that carry a gradient."""
    return [t for t in outputs if isinstance(t, Tensor) and t.requires_grad]


def pull(row, arrays, active, device=None, create_graph=False, seed=1):
    """Outputs, and the gradients of the active inputs for random cotangents (zeros for an input that is not used)."""
    tensors = tensors_of(arrays, active, device)
    outputs = call(row, tensors)
    ends = tracked(outputs)
    assert ends, f"{row.id}: no output requires a gradient, but order is {row.order}"
    wanted = [tensors[i] for i in active]
    gradients = tn.autograd.grad(ends, wanted, cotangents(ends, seed), create_graph=create_graph, allow_unused=True)
    return outputs, wanted, [g if g is not None else tn.Tensor(np.zeros(t.shape, t.dtype), device=t.device)
                             for g, t in zip(gradients, wanted)]


def nodes_of(outputs):
    """Every node behind the outputs."""
    seen, stack = {}, [t.node for t in outputs if isinstance(t, Tensor) and t.node is not None]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            stack.extend(p for p in node.parents if isinstance(p, Node))
    return list(seen.values())


def close(found, expected, tolerance, what):
    """Assert equal up to `tolerance` relative to the largest expected element; bool and int exactly."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    if expected.dtype.kind in "biu" and found.dtype.kind in "biu":
        np.testing.assert_array_equal(found, expected, err_msg=what)
        return
    finite = np.abs(expected[np.isfinite(expected)])
    scale = float(finite.max()) if finite.size else 0.0
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale, equal_nan=True, err_msg=what)


def layouts_of(array):
    """The same values in other memory: Fortran order, reversed, every second element of a larger block."""
    if array.ndim == 0 or array.size == 0:
        return {}
    wide = np.zeros([2 * n for n in array.shape], dtype=array.dtype)
    strided = wide[(slice(None, None, 2),) * array.ndim]
    strided[...] = array
    backward = (slice(None, None, -1),) * array.ndim
    return {"fortran": np.asfortranarray(array), "reversed": np.ascontiguousarray(array[backward])[backward],
            "strided": strided}


ROWS, BROKEN = load()
