"""The karate club as published, and random graphs with the edges their probabilities say."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import data
from tinygrad_notes.nn.graph import coalesce, has_self_loops, is_undirected


def test_the_karate_club():
    club = data.karate_club(dtype=tn.float64)
    assert (club.num_nodes, club.num_edges) == (34, 156)
    assert is_undirected(club) and not has_self_loops(club) and coalesce(club).num_edges == 156
    # The degrees in Zachary's figure 2, and what the literature says of it: 45 triangles, diameter 5, halves of 17.
    assert club.in_degree.tolist() == [16, 9, 10, 6, 3, 4, 4, 4, 5, 2, 3, 1, 2, 5, 2, 2, 2, 2, 2, 3, 2, 2, 2, 5, 3, 3,
                                       2, 4, 3, 4, 4, 6, 12, 17]
    a = tn.nn.graph.to_dense_adjacency(club).numpy()
    assert np.trace(np.linalg.matrix_power(a, 3)) == 6 * 45
    assert max(tn.nn.graph.distances(club, k).max().item() for k in range(34)) == 5
    y = club.y.numpy()
    assert (y.sum(), y[0], y[33], y[8], y[9]) == (17, 0, 1, 0, 1)
    across = (y[club.src.numpy()] != y[club.dst.numpy()]).sum() // 2
    assert across == 11
    np.testing.assert_array_equal(club.x.numpy(), np.eye(34))


def test_blocks():
    sizes, p = [40, 30, 50], np.array([[0.5, 0.1, 0.0], [0.1, 0.3, 0.2], [0.0, 0.2, 1.0]])
    g = data.stochastic_block_model(sizes, p, generator=0)
    assert is_undirected(g) and not has_self_loops(g) and coalesce(g).num_edges == g.num_edges
    assert np.bincount(g.y.numpy()).tolist() == sizes
    a, b = tn.nn.graph.to_dense_adjacency(g).numpy(), g.y.numpy()
    for i in range(3):
        for j in range(i, 3):
            found = a[np.ix_(b == i, b == j)]
            pairs = sizes[i] * (sizes[i] - 1) / 2 if i == j else sizes[i] * sizes[j]
            count = found.sum() / (2 if i == j else 1)
            assert abs(count - p[i, j] * pairs) <= 4 * np.sqrt(pairs * p[i, j] * (1 - p[i, j]))
    again = data.stochastic_block_model(sizes, p, generator=0)
    assert again.src.tolist() == g.src.tolist()
    assert data.stochastic_block_model([5], [[0.0]], generator=0).num_edges == 0
    assert str(data.stochastic_block_model([3, 3], (1, 0), device="strict").device) == "strict"


@pytest.mark.parametrize(("name", "size", "labelled"), [("karate", 34, 2), ("sbm", 200, 10)])
def test_as_sources(name, size, labelled):
    source = data.find(name, "float64")
    assert (len(source.train), len(source.test)) == (labelled, size - labelled)
    assert source.graph.num_nodes == size and source.shape == (size,) and source.classes == 2
    assert np.bincount(source.train.tensors[1].numpy()).tolist() == [labelled // 2] * 2
    assert source.train.tensors[0].dtype == "float64"


def test_errors():
    for call, error, message in [
        (lambda: data.stochastic_block_model([3, 0], (1, 0)), ValueError, r"sizes\[1\]: expected at least 1, got 0"),
        (lambda: data.stochastic_block_model([3, 2.0], (1, 0)), TypeError, r"sizes\[1\]: expected an int, got 2.0"),
        (lambda: data.stochastic_block_model([3, 3], [[1, 0], [0.5, 1]]), ValueError, "not symmetric"),
        (lambda: data.stochastic_block_model([3, 3], np.ones((3, 3))), ValueError, r"matrix \(2, 2\) or \(p, q\)"),
        (lambda: data.stochastic_block_model([3, 3], (1.5, 0)), ValueError, "from 0 to 1, got 0.0 to 1.5"),
    ]:
        with pytest.raises(error, match=message):
            call()
