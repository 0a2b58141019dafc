"""The losses of Prince, "Understanding Deep Learning", notebooks 5.1 to 5.3, with its data and parameters."""
import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

BOOK_X = np.array(
    [
        0.09291784,
        0.46809093,
        0.93089486,
        0.67612654,
        0.73441752,
        0.86847339,
        0.49873225,
        0.51083168,
        0.18343972,
        0.99380898,
        0.27840809,
        0.38028817,
        0.12055708,
        0.56715537,
        0.92005746,
        0.77072270,
        0.85278176,
        0.05315950,
        0.87168699,
        0.58858043,
    ]
)
BOOK_Y = np.array(
    [
        -0.25934537,
        0.18195445,
        0.651270150,
        0.13921448,
        0.09366691,
        0.30567674,
        0.372291170,
        0.20716968,
        -0.08131792,
        0.51187806,
        0.16943738,
        0.3994327,
        0.019062570,
        0.55820410,
        0.452564960,
        -0.1183121,
        0.02957665,
        -1.24354444,
        0.248038840,
        0.26824970,
    ]
)
BOOK_BINARY = np.array([0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1])
BOOK_CLASSES = np.array([2, 0, 1, 2, 1, 0, 0, 2, 2, 0, 2, 0, 2, 0, 1, 2, 1, 2, 1, 0])


def book_net(bias, weight):
    net = nn.MLP([1, 3, len(bias)], dtype="float64")
    net.load_state_dict(
        {"0.weight": [[-1.0], [1.8], [0.65]], "0.bias": [0.3, -1.0, -0.5], "2.weight": weight, "2.bias": bias}
    )
    return net(tn.tensor(BOOK_X.reshape(-1, 1)))


@pytest.mark.row("S0-37")
def test_least_squares_of_the_book():
    out, y, sigma = book_net([0.1], [[-2.0, -1.0, 7.0]]).reshape(-1), tn.tensor(BOOK_Y), 0.2
    assert F.mse_loss(out, y, reduction="sum").item() == pytest.approx(2.020992572, abs=5e-10)
    nll = F.gaussian_nll_loss(out, y, sigma**2, full=True, reduction="sum").item()
    assert nll == pytest.approx(11.452419564, abs=5e-10) and math.exp(-nll) == pytest.approx(1.0624e-5, abs=5e-10)


@pytest.mark.row("S0-37")
def test_binary_cross_entropy_of_the_book():
    out, y = book_net([2.6], [[-24.0, -8.0, 50.0]]).reshape(-1), tn.tensor(BOOK_BINARY.astype("float64"))
    assert F.binary_cross_entropy_with_logits(out, y, reduction="sum").item() == pytest.approx(9.563639387, abs=5e-10)
    assert F.binary_cross_entropy(tn.sigmoid(out), y, reduction="sum").item() == pytest.approx(9.563639387, abs=5e-10)


@pytest.mark.row("S0-37")
def test_multiclass_cross_entropy_of_the_book():
    out = book_net([2.0, -2.0, 0.0], [[-24.0, -8.0, 50.0], [-2.0, 8.0, -30.0], [16.0, -8.0, -8.0]])
    assert F.cross_entropy(out, tn.tensor(BOOK_CLASSES), reduction="sum").item() == pytest.approx(
        17.015457867, abs=5e-10
    )
    logp = tn.log_softmax(out)
    assert F.nll_loss(logp, tn.tensor(BOOK_CLASSES), reduction="sum").item() == pytest.approx(17.015457867, abs=5e-10)
