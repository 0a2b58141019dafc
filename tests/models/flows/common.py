"""Flows with parameters away from their start, where nothing is the identity."""
import tinygrad_notes as tn
from tinygrad_notes.models import flows


def stirred(model, size=0.15):
    """The model with noise on all parameters."""
    with tn.no_grad():
        for p in model.parameters():
            p[...] = p + size * tn.randn(p.shape, dtype=p.dtype)
    return model


def small(dim=2):
    """{name: flow}: one small flow of each kind, float64."""
    home = {"dtype": "float64"}
    hidden = (3,)
    return {
        "planar": flows.Flow([flows.Planar(dim, **home), flows.Inverse(flows.Planar(dim, **home))], dim),
        "radial": flows.Flow([flows.Radial(dim, **home), flows.Inverse(flows.Radial(dim, **home))], dim),
        "linear": flows.Flow([flows.LinearPLU(dim, **home), flows.LeakyReLU(0.3)], dim),
        "NICE": flows.NICE(dim, 2, hidden, **home),
        "RealNVP": flows.RealNVP(dim, 2, hidden, **home),
        "spline": flows.SplineFlow(dim, 2, hidden, bins=3, **home),
        "MAF": flows.MAF(dim, 2, hidden, **home),
        "IAF": flows.IAF(dim, 2, hidden, **home),
        "residual": flows.ResidualFlow(dim, 1, hidden, **home),
        "series": flows.ResidualFlow(dim, 1, hidden, log_det="series", terms=3, **home),
        "continuous": flows.ContinuousFlow(dim, hidden, steps=2, **home),
    }
