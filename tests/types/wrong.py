"""Mistakes that mypy must find: one per line that says so, with the code of the error."""
import tinygrad_notes as tn

x = tn.tensor([1.0, 2.0])

tn.nonsense(x)  # error: attr-defined
tn.nn.Lienar(2, 3)  # error: attr-defined
x.summ()  # error: attr-defined
x.sum(axes=0)  # error: call-arg
x.sum(axis="rows")  # error: arg-type
x.sum(keepdims=3)  # error: arg-type
tn.sin("text")  # error: arg-type
tn.sin()  # error: call-arg
tn.sin(x, x)  # error: call-arg
tn.sum(None)  # error: arg-type
tn.zeros("3")  # error: arg-type
tn.zeros(3, dtype=3)  # error: call-overload arg-type
tn.zeros(3, device=1.5)  # error: arg-type
tn.randn(2, generator=0)  # error: arg-type
tn.concat(3)  # error: arg-type
tn.tensor(object())  # error: arg-type
x + "text"  # error: operator
x + None  # error: operator
x["rows"]  # error: index
x[0.5]  # error: index
x.shape = (2,)  # error: misc
x.grad.numpy()  # error: union-attr
number: int = tn.sum(x)  # error: assignment
print(tn.topk(x, 1).valeus)  # error: attr-defined
tn.topk(x, 1.5)  # error: arg-type
tn.linalg.svd(x, compute_uv=False)  # error: call-arg
tn.nn.Linear("two", 3)  # error: arg-type
tn.nn.Linear(2)  # error: call-arg
tn.nn.Linear(2, 3)(x, x)  # error: call-arg
tn.nn.Linear(2, 3)("text")  # error: arg-type
tn.nn.MSELoss()(x)  # error: call-arg
tn.nn.Sequential(tn.relu)  # error: arg-type
tn.nn.functional.cross_entropy(x, x, reduce="mean")  # error: call-arg
tn.optim.SGD(x.shape, lr=0.1)  # error: arg-type
tn.optim.Adam([x], lr="fast")  # error: arg-type
tn.optim.Adam([x]).step(3)  # error: arg-type
tn.optim.lr_scheduler.StepLR(0.1, 10)  # error: arg-type
tn.grad(3)  # error: arg-type
tn.gradcheck(tn.sin, x, tolerance=1.0)  # error: call-arg
print(tn.gradcheck(tn.sin, x).verdikt)  # error: attr-defined
tn.data.DataLoader([1, 2], batch_size="ten")  # error: arg-type
tn.models.VAE("sixty-four")  # error: arg-type
tn.Generator("seed")  # error: arg-type


class Twice(tn.nn.Module):
    def forward(self, x: tn.Tensor) -> tn.Tensor:
        return 2 * x


Twice()(x, x)  # error: call-arg
text: str = Twice()(x)  # error: assignment
