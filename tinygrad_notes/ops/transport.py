"""The cheapest way to move one distribution to another, by a linear program on the host."""
import numpy as np

from ..autograd import Tensor

__all__ = []


def optimal_plan(p, q, cost):
    """How much goes from where to where, and what a little more at each place would cost.

    Args:
        p, q: Tensors (n,) and (m,) of equal sums, >= 0.
        cost: Tensor (n, m), of moving one unit from i to j.

    Returns:
        Tensors: the plan (n, m) with row sums p and column sums q; potentials (n,) and (m,) with
        u_i + v_j <= cost_ij, whose value sum u p + sum v q is that of the plan.

    Raises:
        RuntimeError: the linear program has no solution.
    """
    from scipy.optimize import linprog
    from scipy.sparse import identity, kron, vstack

    device = cost.device
    a, b, c = (device.to_numpy(t.data).astype(np.float64) for t in (p, q, cost))
    n, m = c.shape
    b = b * (a.sum() / b.sum()) if b.sum() else b  # both sides of the constraints to the last digit
    sums = vstack([kron(identity(n), np.ones((1, m))), kron(np.ones((1, n)), identity(m))]).tocsc()
    found = linprog(c.ravel(), A_eq=sums, b_eq=np.concatenate([a, b]), method="highs")
    if found.status:
        raise RuntimeError(f"optimal_plan: the linear program was not solved: {found.message}")
    parts = found.x.reshape(n, m), found.eqlin.marginals[:n], found.eqlin.marginals[n:]
    return tuple(Tensor.wrap(device.from_numpy(part.astype(cost.dtype))) for part in parts)
