"""Shapes: what is a view and what is a copy, PyTorch's forms, and what is refused."""
import numpy as np
import pytest

import tinygrad_notes as tn


@pytest.fixture
def x():
    with tn.as_device("cpu"):
        yield tn.tensor(np.arange(24.0).reshape(2, 3, 4))


VIEWS = {
    "reshape": lambda x: tn.reshape(x, (6, 4)), "view": lambda x: x.view(4, 6), "flatten": tn.flatten,
    "ravel": tn.ravel,
    "unflatten": lambda x: tn.unflatten(x, 2, (2, 2)), "expand_dims": lambda x: tn.expand_dims(x, axis=1),
    "squeeze": lambda x: tn.squeeze(x.reshape(2, 1, 12)), "permute_dims": lambda x: tn.permute_dims(x, (2, 0, 1)),
    "transpose": tn.transpose, "T": lambda x: x.T, "mT": lambda x: x.mT, "swapaxes": lambda x: tn.swapaxes(x, 0, 1),
    "moveaxis": lambda x: tn.moveaxis(x, 0, 2), "broadcast_to": lambda x: tn.broadcast_to(x, (5, 2, 3, 4)),
    "expand": lambda x: x.expand(5, -1, -1, -1), "flip": lambda x: tn.flip(x, axis=0), "rot90": tn.rot90,
    "split": lambda x: tn.split(x, 2)[1], "chunk": lambda x: tn.chunk(x, 2, 2)[0],
    "unstack": lambda x: tn.unstack(x)[1],
    "atleast_3d": tn.atleast_3d, "meshgrid": lambda x: tn.meshgrid(x[0, 0], x[0, 1])[0], "contiguous": tn.contiguous,
    "diag": lambda x: tn.diag(x[0]),
}
COPIES = {
    "reshape of a transpose": lambda x: x.T.reshape(24), "reshape, copy": lambda x: tn.reshape(x, (24,), copy=True),
    "clone": tn.clone, "copy": lambda x: x.copy(), "contiguous of a transpose": lambda x: x.T.contiguous(),
    "roll": lambda x: tn.roll(x, 1), "tile": lambda x: tn.tile(x, (1,)), "repeat": lambda x: tn.repeat(x, 1, axis=0),
    "concat": lambda x: tn.concat((x,)), "stack": lambda x: tn.stack((x,)), "pad": lambda x: tn.pad(x, 0),
    "tril": tn.tril, "to": lambda x: tn.to(x, copy=True), "astype": lambda x: tn.astype(x, "float64"),
    "strict and back": lambda x: x.to("strict").to("cpu"),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_share_memory(x, name):
    assert np.shares_memory(VIEWS[name](x).data, x.data)


@pytest.mark.parametrize("name", COPIES)
def test_copies_do_not(x, name):
    assert not np.shares_memory(COPIES[name](x).data, x.data)


def test_moving_to_another_device_copies(x):
    away = x.to("strict")
    assert away.device == "strict" and not np.shares_memory(away.device.to_numpy(away.data), x.data)
    assert x.to("cpu") is x and x.to("float64") is x and x.to(x) is x


def test_reshape_without_copy_raises_where_no_view_exists(x):
    with pytest.raises(ValueError, match="copy=False"):
        tn.reshape(x.T, (24,), copy=False)
    with pytest.raises(ValueError, match=r"reshape: .*float64 \(2, 3, 4\).*shape=\(5, 5\)"):
        tn.reshape(x, (5, 5))
    with pytest.raises(ValueError, match="copy=False"):
        x.T.view(24)
    assert tn.zeros((0, 3)).view(3, 0).shape == (3, 0)


def test_forms_of_pytorch(x):
    assert x.reshape(6, 4).shape == x.reshape((6, -1)).shape == x.view(6, 4).shape == (6, 4)
    assert x.permute(2, 0, 1).shape == x.permute((2, 0, 1)).shape == x.transpose(2, 0, 1).shape == (4, 2, 3)
    assert x.transpose(0, 1).shape == (3, 2, 4) and x.transpose().shape == x.T.shape == (4, 3, 2)
    assert x.flatten(1).shape == (2, 12) and x.unsqueeze(-1).shape == (2, 3, 4, 1)
    assert x.double() is x and x.float().dtype == "float32" and x.long().dtype == "int64" and x.int().dtype == "int32"
    assert x.half().dtype == "float16" and x.bool().dtype == "bool" and x.cpu() is x
    assert [len(c) for c in tn.zeros(7).chunk(3)] == [3, 3, 1]


def test_integers_of_numpy_and_tensors_are_sizes_and_axes(x):
    two = np.int64(2)
    assert tn.reshape(x, (two, 12)).shape == (2, 12) and type(tn.reshape(x, (two, 12)).shape[0]) is int
    assert tn.sum(x, axis=np.int32(-1)).shape == (2, 3) and tn.zeros(tn.tensor(3)).shape == (3,)


def test_the_gradient_of_one_piece_of_many_is_made_once():
    x = tn.tensor(np.arange(6.0), requires_grad=True)
    parts = tn.split(x, 3)
    (parts[0] * 2 + parts[2] * parts[2]).sum().backward()
    assert x.grad.tolist() == [2, 2, 0, 0, 8, 10]


@pytest.mark.parametrize("call, error, message", [
    (lambda x: tn.permute_dims(x, (0, 1)), ValueError, "each of the 3 axes"),
    (lambda x: tn.permute_dims(x, (0, 1, 1)), ValueError, "twice"),
    (lambda x: tn.squeeze(x, axis=0), ValueError, "axis 0 has length 2"),
    (lambda x: tn.expand_dims(x, axis=4), IndexError, "out of range"),
    (lambda x: tn.expand_dims(x, axis=(0, 0)), ValueError, "twice"),
    (lambda x: tn.swapaxes(x, 0, 3), IndexError, "axis 3"),
    (lambda x: tn.moveaxis(x, (0, 1), 0), ValueError, "equally many"),
    (lambda x: tn.broadcast_to(x, (3, 4)), ValueError, "broadcast_to"),
    (lambda x: tn.expand(x, -1, 2, 3, 4), ValueError, "has not"),
    (lambda x: tn.broadcast_shapes((2, 3), (4,)), ValueError, r"\(2, 3\), \(4,\) do not broadcast"),
    (lambda x: tn.flatten(x, 2, 1), ValueError, "comes after"),
    (lambda x: tn.unflatten(x, 1, (2, 2)), ValueError, r"\(2, 2\) do not multiply to 3"),
    (lambda x: tn.unflatten(x, 1, (-1, 2)), ValueError, "do not multiply"),
    (lambda x: tn.matrix_transpose(x[0, 0]), ValueError, "at least 2 axes"),
    (lambda x: tn.roll(x, (1, 2), axis=(0, 1, 2)), ValueError, "equally many"),
    (lambda x: tn.rot90(x, 1, (0, 0)), ValueError, "twice"),
    (lambda x: tn.meshgrid(x), ValueError, "one axis"),
    (lambda x: tn.meshgrid(x[0, 0], indexing="yx"), ValueError, "'yx'"),
    (lambda x: tn.concat(()), ValueError, "at least one tensor, got none"),
    (lambda x: tn.concat(3), TypeError, "tuple or list"),
    (lambda x: tn.concat((tn.tensor(1.0),)), ValueError, "0-d"),
    (lambda x: tn.concat((x, x[0])), ValueError, "concat"),
    (lambda x: tn.concat((x, x), axis=3), IndexError, "axis 3"),
    (lambda x: tn.stack((x, x[0])), ValueError, r"arrays\[1\] has shape \(3, 4\)"),
    (lambda x: tn.split(x, 2, axis=1), ValueError, "length 3 does not part into 2"),
    (lambda x: tn.split(x, (2, 1), axis=2), ValueError, "must not decrease"),
    (lambda x: tn.split(x, 0), ValueError, "0 equal"),
    (lambda x: tn.array_split(x, 0), ValueError, "at least one section"),
    (lambda x: tn.chunk(x, 0), ValueError, "at least one chunk"),
    (lambda x: tn.unstack(tn.tensor(1.0)), IndexError, "0 axes"),
    (lambda x: tn.tile(x, -1), ValueError, "from 0 up"),
    (lambda x: tn.repeat(x, -1), ValueError, "from 0 up"),
    (lambda x: tn.repeat(x, (1, 2), axis=1), ValueError, "1 or 3 numbers"),
    (lambda x: tn.pad(x, -1), ValueError, "from 0 up"),
    (lambda x: tn.pad(x, (1, 2, 3)), ValueError, "3 pairs"),
    (lambda x: tn.pad(x, 1.5), ValueError, "3 pairs"),
    (lambda x: tn.pad(x, 1, "mirror"), ValueError, "constant, edge, reflect"),
    (lambda x: tn.pad(x[:0], 1, "edge"), ValueError, "nothing to continue"),
    (lambda x: tn.tril(x[0, 0]), ValueError, "at least 2 axes"),
    (lambda x: tn.diag(x), ValueError, "one axis or two"),
    (lambda x: tn.diag_embed(tn.tensor(1.0)), ValueError, "at least one axis"),
    (lambda x: tn.diff(x, n=-1), ValueError, "from 0 up"),
    (lambda x: tn.reshape(x, (2.0, 12)), TypeError, "sequence of ints"),
    (lambda x: x.to("tpu"), TypeError, "tpu"),
])
def test_what_is_refused(x, call, error, message):
    with pytest.raises(error, match=message):
        call(x)


def test_every_error_names_its_operation(x):
    for call in [lambda: tn.sum(x, axis=9), lambda: tn.flip(x, axis=9), lambda: tn.concat((x, x), axis=9)]:
        with pytest.raises(IndexError, match=r"^(sum|flip|concat): axis 9 is out of range for a tensor with 3 axes"):
            call()
