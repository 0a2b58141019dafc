"""Expressions of PyTorch programs, evaluated by PyTorch and by this library on the same data."""
import numpy as np
import pytest

import tinygrad_notes as tn

pytestmark = pytest.mark.same_on_strict

# `x` (4, 3, 8, 6), `m` (3, 3), `v` (5,), `i` integers like x in [0, 3), `k` bools like x, `w` integers (7,).
EXPRESSIONS = """
T.cat([x, x], dim=1) ; T.cat((x, x), 1) ; T.cat(tensors=[x, x]) ; T.stack([x, x], dim=0) ; T.stack([x, x], 1)
T.concat([x, x], dim=-1) ; T.column_stack([v, v]) ; T.hstack([m, m]) ; T.row_stack([m, m]) ; T.block_diag(m, v, m)
x.mean(dim=1) ; x.mean(1) ; x.mean((2, 3)) ; x.mean(dim=(2, 3), keepdim=True) ; x.mean([2, 3]) ; x.mean(1, True)
x.sum(dim=-1, keepdim=True) ; x.sum(1, keepdim=True) ; T.sum(x, dim=1) ; T.sum(input=x, dim=(0, 1)) ; x.prod(dim=1)
x.max(dim=1) ; x.max(dim=1, keepdim=True)[0] ; x.max(1, True) ; T.max(x, dim=-1) ; T.max(x, -x) ; x.max() ; x.max(-x)
x.min(dim=1) ; T.min(x, dim=2, keepdim=True) ; T.min(x, other=-x) ; x[0, 0, 0, 0].max(dim=0) ; x.amax(dim=(1, 2))
x.argmax(dim=1) ; T.argmax(x, dim=1, keepdim=True) ; x.argmin(-1) ; x.amin(dim=1, keepdim=True) ; T.aminmax(x, dim=1)
x.median(dim=1) ; x.median(2, True) ; T.median(x, dim=-1) ; x.nanmedian(dim=1) ; T.nanmedian(x) ; x.mode(1)
T.mode(w) ; x.sort(dim=1) ; T.sort(x, dim=1, descending=True) ; T.sort(x, 1, True) ; x.argsort(dim=1) ; x.argsort(1)
T.msort(x) ; x.topk(2, dim=1) ; T.topk(x, 2, 1, False) ; x.kthvalue(2, dim=1) ; T.kthvalue(x, 2, 1, True) ; w.mode()
x.cumsum(dim=1) ; T.cumsum(x, 1) ; T.cumprod(x, dim=1) ; T.logcumsumexp(x, dim=1) ; T.cummax(x, dim=1)[0]
x.std(dim=1) ; x.std(1, unbiased=False) ; x.var(dim=1, unbiased=False) ; x.var(1, keepdim=True) ; x.std(unbiased=True)
x.var(dim=(1, 2), correction=0) ; T.var_mean(x, dim=1) ; T.std_mean(x, dim=1, keepdim=True) ; x.std(False)
T.logsumexp(x, dim=1) ; x.logsumexp(-1) ; x.logsumexp(1, True) ; x.all(dim=1) ; T.any(k, dim=1)
x.count_nonzero(dim=1) ; x.norm() ; x.norm(dim=1) ; x.norm(2, dim=1, keepdim=True) ; x.norm(p=1, dim=-1)
T.norm(x, dim=1) ; T.norm(m, "nuc") ; T.norm(m, "fro") ; x.norm(2, 1, True)
T.linalg.vector_norm(x, dim=1, keepdim=True) ; T.linalg.norm(x, dim=1) ; T.linalg.vector_norm(x, ord=1, dim=(1, 2))
T.linalg.matrix_norm(x, dim=(1, 2)) ; T.linalg.vecdot(x, x, dim=1) ; T.quantile(x, 0.3, dim=1)
T.quantile(x, 0.3, dim=1, keepdim=True, interpolation="lower") ; T.nansum(x, dim=1) ; x.softmax(dim=-1)
x.softmax(-1) ; T.softmax(x, dim=1) ; T.log_softmax(x, dim=1) ; x.log_softmax(1) ; F.softmax(x, dim=1)
T.softmax(x, dim=1, dtype=T.float32) ; T.softmax(x, 1) ; x.view(4, -1) ; x.view(x.size(0), -1) ; x.reshape(4, -1)
x.flatten(1) ; x.flatten(start_dim=1) ; T.flatten(x, 1, 2) ; T.flatten(x, start_dim=1, end_dim=2)
x.unflatten(1, (3, 1)) ; x.unflatten(dim=1, sizes=(3, 1)) ; x.ravel() ; x.view_as(x) ; x.permute(0, 2, 3, 1)
x.permute((0, 2, 3, 1)) ; T.permute(x, (0, 2, 3, 1)) ; x.transpose(1, 2) ; T.transpose(x, 1, 2) ; x.unsqueeze(1)
x.unsqueeze(dim=-1) ; T.unsqueeze(x, dim=0) ; x.squeeze() ; x.squeeze(dim=1) ; m.t() ; v.t() ; x.movedim(1, -1)
T.movedim(x, (0, 1), (1, 0)) ; T.swapaxes(x, 0, 1) ; T.swapdims(x, 0, 1) ; m.T ; x.mT ; x.expand(2, 4, 3, 8, 6)
v.expand(2, -1) ; x.repeat(1, 1, 2, 2) ; T.tile(x, (1, 2)) ; x.tile((2, 1, 1, 1)) ; T.tile(v, dims=(2,))
x.repeat_interleave(2, dim=0) ; T.repeat_interleave(v, 2) ; T.repeat_interleave(m, w[:3], dim=0)
T.repeat_interleave(w) ; x.sum_to_size(1, 3, 1, 6) ; T.broadcast_to(v, (2, 5)) ; x.expand_as(x) ; x.chunk(2, dim=1)
T.chunk(x, 3, dim=1) ; x.split(1, dim=1) ; T.split(x, 3, dim=2) ; T.split(x, [1, 2], dim=1) ; x.split([3, 5], dim=2)
T.tensor_split(x, 2, dim=2) ; T.tensor_split(x, (1, 4), dim=2) ; T.hsplit(v, [2]) ; T.hsplit(x, 3) ; T.vsplit(x, 2)
T.dsplit(x, 2) ; x.unbind(1) ; T.unbind(x, dim=2) ; x.select(1, 2) ; T.select(x, 0, -1) ; x.narrow(2, 1, 3)
T.narrow(x, 2, -2, 2) ; x.unfold(2, 3, 2) ; v.unfold(0, 5, 1) ; x.unfold(-1, 2, 1) ; x.flip(1) ; x.flip(1, 2)
T.flip(x, [1]) ; T.flip(x, dims=(1, 3)) ; T.fliplr(m) ; T.flipud(x) ; T.roll(x, 1, 1)
T.roll(x, shifts=(1, 2), dims=(1, 2)) ; x.roll(1, dims=1) ; T.roll(x, 3) ; T.rot90(x, 1, [2, 3]) ; x.gather(1, i)
T.gather(x, 1, index=i) ; T.gather(x, dim=1, index=i) ; x.gather(dim=1, index=i) ; T.take_along_dim(x, i, dim=1)
x.index_select(0, w[:2] % 4) ; T.index_select(x, dim=0, index=w[:2] % 4) ; x.masked_fill(k, 2.0)
T.masked_fill(x, mask=k, value=2.0) ; x.masked_select(k) ; T.masked_select(x, k) ; x.scatter(1, i[:, :1], x[:, :1])
x.scatter(1, i[:, :1], 3.0) ; x.scatter(1, i[:, :1], value=3.0) ; x.scatter(dim=1, index=i[:, :1], src=x[:, :1])
x.scatter_add(1, i, x) ; x.scatter_add(dim=1, index=i, src=x) ; T.scatter_reduce(x, 1, i, x, reduce="amax")
x.scatter_reduce(1, i, x, reduce="sum", include_self=False) ; x.index_add(0, w[:2] % 4, x[:2])
x.index_add(0, w[:2] % 4, x[:2], alpha=2) ; x.index_fill(0, w[:2] % 4, 0.5) ; x.index_copy(0, T.tensor([1, 3]), x[:2])
T.select_scatter(x, x[:, 0] * 2, 1, 2) ; T.slice_scatter(x, x[:, :1], 1, 2)
T.slice_scatter(x, x[:, :, :4] * 2, 2, 0, 8, 2) ; T.diagonal_scatter(m, v[:3]) ; T.diagonal_scatter(m, v[:2], -1)
T.diagonal_scatter(x, x.diagonal(1, 2, 3) * 2, 1, 2, 3) ; T.where(k, x, -x) ; T.argwhere(k)
T.nonzero(k, as_tuple=True) ; T.nonzero(k, as_tuple=False) ; k.nonzero(as_tuple=False) ; T.clamp(x, min=0)
x.clamp(min=-0.5, max=0.5) ; x.clamp(0, 1) ; T.clamp_min(x, 0.1) ; x.clamp_max(0.1) ; T.clip(x, 0, 1)
T.add(x, x, alpha=2) ; x.add(1) ; x.sub(1) ; T.sub(x, x, alpha=3) ; x.mul(2) ; x.div(2) ; x.neg() ; T.mul(x, x)
T.div(x, 0.3, rounding_mode="floor") ; T.div(x, 0.3, rounding_mode="trunc") ; T.div(w, 2, rounding_mode="trunc")
T.div(w * 10**17 + 1, -7, rounding_mode="trunc") ; T.div(w > 1, w, rounding_mode="trunc")
T.div(w, 2, rounding_mode="floor") ; T.div(x, 2) ; T.rsub(x, 2) ; T.neg(x) ; x.pow(2) ; T.absolute(x) ; T.arctan(x)
T.eq(x, x) ; T.ne(x, -x) ; T.lt(x, -x) ; x.le(0) ; x.gt(0) ; T.ge(x, 0) ; x.eq(x).sum() ; (x.argmax(1) == 1).float()
T.bmm(x[0], x[0].mT) ; T.mm(m, mat2=m) ; T.addmm(m, m, m, beta=0.5) ; T.addmm(input=m, mat1=m, mat2=m)
T.mv(m, v[:3]) ; T.einsum("bchw,bdhw->bcd", x, x) ; T.einsum("ij,jk", [m, m]) ; T.tensordot(m, m, dims=1)
T.tensordot(x, x, ([1], [1])) ; T.cross(m, m + 1, dim=1) ; T.outer(v, v) ; T.dist(x, -x) ; T.dist(x, -x, 1)
T.cdist(m, m + 1, p=1) ; T.cdist(m, m + 1, 3.0) ; T.renorm(x, 2, 0, 3.0) ; T.renorm(x, 1, 1, 2.0) ; T.cov(m)
T.cov(m, correction=0) ; T.cov(v) ; T.corrcoef(m) ; T.cov(m, fweights=w[:3]) ; T.cov(m, aweights=m[0].abs())
T.cov(m, fweights=w[:3], aweights=m[0].abs()) ; T.gradient(x, dim=2) ; T.gradient(m) ; T.gradient(v, spacing=0.5)
T.gradient(x, dim=(2, 3), edge_order=2) ; T.gradient(v, spacing=(v.cumsum(0) + 9 * T.arange(5),))
T.gradient(m, spacing=[2.0, 3.0]) ; T.vander(v, 3) ; T.vander(v, increasing=True) ; T.combinations(v)
T.combinations(v, 3) ; T.combinations(v, 2, True) ; T.cartesian_prod(v, v[:2]) ; T.cartesian_prod(v) ; T.diagflat(m)
T.diagflat(v, 1) ; T.diag(v) ; T.diag(m, diagonal=1) ; T.diag_embed(m, dim1=0, dim2=2)
T.diagonal(x, 0, dim1=1, dim2=2) ; x.diagonal(dim1=-2, dim2=-1) ; m.trace() ; T.tril(m, diagonal=-1) ; m.tril(1)
T.triu(m, 1) ; m.triu(diagonal=1) ; T.tril_indices(4, 3) ; T.triu_indices(4, 3, 1) ; T.tril_indices(3, 5, -1)
T.bucketize(x, T.tensor([-1.0, 0.0, 1.0]).double()) ; T.bucketize(w, w.sort(dim=0)[0], right=True)
T.searchsorted(v.sort(dim=0)[0], x, right=True) ; T.searchsorted(v.sort(dim=0)[0], x, side="left", out_int32=True)
T.histc(x, bins=7, min=-1, max=1) ; T.histc(x, 5) ; T.bincount(w, minlength=9) ; T.unique(w)
T.unique(w, return_counts=True) ; T.unique(i, return_inverse=True, return_counts=True) ; T.unique(i % 2, dim=0)
T.unique(i[:, :, 0, 0], dim=1) ; T.unique(T.cat([m, m[:1]]), dim=0, return_inverse=True, return_counts=True)
w.unique() ; T.unique_consecutive(w) ; T.unique_consecutive(w, return_inverse=True, return_counts=True)
T.unique_consecutive(T.stack([v, v, v * 2]), dim=0) ; T.trapz(x) ; T.trapezoid(x, dim=1) ; T.diff(x, dim=1)
T.diff(x, 2, 1) ; T.cumulative_trapezoid(x, dim=1) ; T.igamma(x.abs() + 1, x.abs()) ; T.igammac(x.abs() + 1, x.abs())
T.det(m) ; T.logdet(m @ m.T) ; T.inverse(m) ; T.slogdet(m) ; T.pinverse(m) ; T.matrix_power(m, 3) ; T.matrix_exp(m)
T.special.expit(x) ; T.special.softmax(x, 1) ; T.special.modified_bessel_k0(x.abs())
T.special.scaled_modified_bessel_k1(x.abs()) ; T.special.psi(x.abs()) ; T.special.log_softmax(x, dim=1)
T.special.gammainc(x.abs(), x.abs()) ; T.special.logsumexp(x, dim=1) ; T.fft.fft(x, dim=1).real
T.fft.rfft(x, dim=2).imag ; T.fft.fftn(x, dim=(1, 2)).real ; T.fft.fft2(x, dim=(0, 1)).imag
T.cosine_similarity(x, -x.flip(0), dim=1) ; T.pairwise_distance(m, m + 1) ; T.pdist(m) ; T.layer_norm(x, (6,))
T.conv2d(x, x[:2, :, :3, :3]) ; T.max_pool2d(x, 2) ; T.pixel_shuffle(x[:, :1].expand(4, 4, 8, 6), 2)
T.conv1d(x[0], x[0]) ; T.arange(10) ; T.arange(0, end=9, step=2) ; T.arange(end=4)
T.linspace(0, 1, steps=10).double() ; T.eye(3).double() ; T.full((2, 3), 1.5).double() ; T.zeros(size=(2, 3)).double()
T.ones(2, 3).double() ; x.new_zeros(2, 3) ; x.new_ones((2, 3)) ; x.new_full((2,), 3.0) ; x.new_tensor([1.0, 2.0])
w.new_zeros(3) ; T.zeros_like(x) ; T.full_like(x, 2.0) ; x.type_as(w) ; x.float() ; w.double() ; w.short() ; w.byte()
T.meshgrid([w, w], indexing="ij") ; T.meshgrid(v, v, indexing="xy") ; x.to(T.float) ; w.to(T.long)
T.tensor([1, 2], dtype=T.double) ; T.promote_types(T.float32, T.int64) == T.float ; x.size() ; x.size(1)
x.size(dim=-1) ; x.dim() ; x.numel() ; T.numel(x) ; x.nelement() ; x.element_size() ; len(x.shape) ; x.size()[2:]
T.Size([2, 3]) ; T.is_tensor(x) ; T.is_tensor(3) ; T.is_floating_point(w) ; x.is_floating_point() ; x.is_cuda
T.func.grad(lambda a: (a ** 3).sum())(v) ; T.func.jacrev(T.sin)(v) ; T.func.jacfwd(T.exp)(v)
T.func.hessian(lambda a: a.prod())(v) ; T.func.grad_and_value(lambda a: (a ** 2).sum())(v)
T.logspace(0, 2, 5, 2.0).double() ; T.tensor_split(x, T.tensor([1, 4]), dim=2) ; T.take_along_dim(m, w[:2])
T.take(m, w) ; T.t(m) ; T.split_with_sizes(x, [1, 2], 1) ; T.unravel_index(w, (2, 3)) ; T.gradient(v, dim=None)
T.nanquantile(T.where(k, x, float("nan")), 0.5) ; x.nanquantile(0.6, dim=2, keepdim=True, interpolation="higher")
T.nanquantile(T.where(x > 1, x, float("nan")), T.tensor([0.1, 0.7]).double(), dim=1, interpolation="midpoint")
T.nanquantile(x, T.tensor([0.4]).double(), keepdim=True, interpolation="nearest") ; T.atleast_2d([v, m])
T.cdist(m, m + 1, 2.0, "donot_use_mm_for_euclid_dist") ; m.mH ; m.H ; x.angle() ; x.isreal() ; w.sgn()
v.abs().igamma(v.abs()) ; (v.abs() + 3).mvlgamma(2) ; m.allclose(m) ; T.cholesky_inverse(m.tril() + 4 * T.eye(3))
T.cholesky_solve(m, m.tril() + 4 * T.eye(3)) ; T.linalg.matrix_norm(x, "fro", (1, 2), True)
T.linalg.matrix_rank(m, atol=1.0) ; T.linalg.matrix_rank(m, rtol=0.5) ; T.linalg.matrix_rank(m, hermitian=True)
T.linalg.pinv(m, atol=0.7, rtol=0.1) ; T.linalg.pinv(m + m.T, hermitian=True) ; T.linalg.diagonal(x, dim1=1, dim2=3)
T.linalg.lstsq(x[0, 0], x[0, 1], driver="gelsd")[0] ; T.linalg.tensorsolve(m.reshape(3, 1, 3), m[:, :1], dims=None)
T.fft.fftn(x, dim=-1).real ; T.fft.rfft2(x, s=(3, 4)).imag ; v[0].gather(0, w[0] * 0) ; v[0].gather(0, w[:2] * 0)
T.index_select(v[0], 0, w[:1] * 0) ; v[0].index_add(0, w[:1] * 0, v[1], alpha=2) ; v[0].index_copy(0, w[:1] * 0, v[1])
v[0].index_fill(0, w[:1] * 0, 2.0) ; v[0].scatter(0, w[0] * 0, v[1]) ; v[0].scatter(0, w[0] * 0, 2.0)
v[0].scatter_add(0, w[0] * 0, v[1]) ; v[0].scatter_reduce(0, w[0] * 0, v[1], "prod") ; v[0].topk(1) ; v[0].kthvalue(1)
v[0].argsort() ; v[0].unfold(0, 1, 1) ; T.nonzero(v[0], as_tuple=True)
x.clone().clamp_(min=0) ; x.clone().scatter_(dim=1, index=i, value=3.0)
x.clone().index_add_(dim=0, index=w[:1], source=x[:1])
x.clone().tan_() ; x.clone().cumsum_(1) ; x.clone().addcmul_(tensor1=x, tensor2=x) ; m.clone().addmm_(m, m, beta=2)
T.randint_like(x, 3, 4) ; T.scalar_tensor(3) ; T.func.jvp(T.sin, (v,), (v,)) ; T.func.vjp(T.exp, v)[0]
"""


def found():
    return [part.strip() for line in EXPRESSIONS.strip().splitlines() for part in line.split(" ; ")]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 3, 8, 6))
    return {"x": x, "m": rng.standard_normal((3, 3)), "v": rng.standard_normal(5), "i": rng.integers(0, 3, x.shape),
            "k": rng.random(x.shape) < 0.4, "w": np.array([3, 1, 1, 4, 1, 1, 3])}


def plain(value):
    """Tensors of both libraries as arrays, tuples of them as lists."""
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    return value.detach().numpy() if hasattr(value, "detach") else value


def same(ours, theirs):
    if isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs):
            same(a, b)
    elif isinstance(theirs, np.ndarray):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-5 if theirs.dtype == np.float32 else 1e-10, atol=1e-12)
    else:
        assert ours == theirs


def run(text, T, F, tensors):
    return eval(text, {"T": T, "F": F, **tensors})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", found())
def test_means_what_pytorch_means(text, data):
    torch = pytest.importorskip("torch")
    theirs = run(text, torch, torch.nn.functional, {name: torch.tensor(a) for name, a in data.items()})
    ours = run(text, tn, tn.nn.functional, {name: tn.tensor(a) for name, a in data.items()})
    same(plain(ours), plain(theirs))


# PyTorch has no gradient of these, or we have none.
NO_GRADIENT = ("func", "igamma", "gammainc", "bessel_k", "fft")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", [text for text in found() if "x" in text.replace("max", "").replace("exp", "")
                                  and not any(name in text for name in NO_GRADIENT)])
def test_gradient_is_pytorchs(text, data):
    torch = pytest.importorskip("torch")
    gradients = []
    for T in (torch, tn):
        tensors = {name: T.tensor(a) for name, a in data.items()}
        x = tensors["x"].requires_grad_()
        rng = np.random.default_rng(1)
        parts = tracked(run(text, T, T.nn.functional, tensors))
        for y in parts:
            y.backward(T.tensor(rng.standard_normal(tuple(y.shape)), dtype=y.dtype), retain_graph=True)
        gradients.append(x.grad.numpy() if parts else np.zeros(()))
    theirs, ours = gradients
    narrow = "float" in text
    np.testing.assert_allclose(ours, theirs, rtol=1e-5 if narrow else 1e-9, atol=1e-7 if narrow else 1e-10)


def tracked(value):
    """The tensors of a result that carry a gradient."""
    if isinstance(value, (tuple, list)):
        return [t for part in value for t in tracked(part)]
    return [value] if getattr(value, "requires_grad", False) else []
