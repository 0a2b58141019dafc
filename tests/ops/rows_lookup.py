"""Rows of what reads vectors from tables, and of distances between them."""
import numpy as np
import scipy.spatial.distance

from tests.ops.table import Row, normal

INDEX, OFFSETS = np.array([2, 0, 2, 4, 1, 1, 3]), np.array([0, 3, 3, 5])  # the second bag is empty
BAGS = [slice(0, 3), slice(3, 3), slice(3, 5), slice(5, 7)]


def weighted_bags(rng):
    return rng.standard_normal((5, 3)), rng.standard_normal(7)


def bags(reduce, padding=None):
    """A loop over the bags."""
    def oracle(table):
        out = np.zeros((4, 3))
        for row, bag in zip(out, BAGS):
            rows = table[[i for i in INDEX[bag] if i != padding]]
            if len(rows):
                row[:] = reduce(rows, axis=0)
        return out
    return oracle


def in_bags(**options):
    return lambda tn, table: tn.nn.functional.embedding_bag(tn.tensor(INDEX), table, tn.tensor(OFFSETS), **options)


def weighted(tn, table, weights):
    return tn.nn.functional.embedding_bag(tn.tensor(INDEX), table, tn.tensor(OFFSETS), mode="sum",
                                          per_sample_weights=weights)


def squared_bags(tn, table):
    return tn.nn.functional.embedding_bag(tn.tensor([[0, 2], [1, 1]]), table) ** 2


def cosine(x, y):
    x, y = np.broadcast_arrays(x, y)
    return (x * y).sum(1) / np.sqrt((x * x).sum(1) * (y * y).sum(1))


ROWS = [
    Row("nn.functional.embedding_bag", weighted_bags,
        lambda table, w: np.array([(w[bag, None] * table[INDEX[bag]]).sum(0) for bag in BAGS]), weighted, label="sum"),
    Row("nn.functional.embedding_bag", normal((5, 3)), bags(np.mean, 2), in_bags(padding_idx=2), label="mean, padding"),
    Row("nn.functional.embedding_bag", normal((5, 3)), bags(np.max, -1), in_bags(mode="max"), label="max"),
    Row("nn.functional.embedding_bag", normal((3, 2)),
        lambda table: np.array([table[[0, 2]].mean(0), table[1]]) ** 2, squared_bags, label="rows, squared"),
    *[Row("nn.functional.pdist", normal((5, 3)), lambda x, p=p: scipy.spatial.distance.pdist(x, "minkowski", p=p),
          lambda tn, x, p=p: tn.nn.functional.pdist(x, p), label=f"p {p}") for p in (1, 2, 3.5, np.inf)],
    Row("nn.functional.cosine_similarity", normal((1, 2, 3), (4, 2, 1)), cosine, label="broadcast"),
    Row("nn.functional.pairwise_distance", normal((4, 3), (4, 3)),
        lambda x, y: (abs(x - y + 1e-6) ** -1.5).sum(1) ** (-1 / 1.5),
        lambda tn, x, y: tn.nn.functional.pairwise_distance(x, y, -1.5), label="p negative"),
]
