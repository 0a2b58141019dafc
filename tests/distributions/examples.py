"""One example per distribution: its parameters, and the same distribution in SciPy where there is one."""
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

import tinygrad_notes as tn


@dataclass(frozen=True, eq=False)
class Example:
    """A distribution with parameters of one element each, and SciPy's twin made of them."""

    name: str
    parameters: dict
    twin: object = None
    fixed: dict = field(default_factory=dict)  # what carries no gradient
    label: str = ""
    moments: str = "mvse"  # which of mean, variance, stddev, entropy the twin has, finite and defined alike

    @property
    def id(self):
        return self.name + (f"-{self.label}" if self.label else "")

    def make(self, *values, **more):
        """The distribution for other values of its parameters."""
        values = values or [tn.Tensor(np.asarray(v)) for v in self.parameters.values()]
        return getattr(tn.distributions, self.name)(**self.fixed, **dict(zip(self.parameters, values)), **more)

    @property
    def scipy(self):
        """SciPy's distribution."""
        return self.twin(**self.fixed, **self.parameters)


E = Example
CONTINUOUS = [
    E("Normal", {"loc": 0.4, "scale": 1.3}, lambda loc, scale: stats.norm(loc, scale)),
    E("Laplace", {"loc": 0.4, "scale": 1.3}, lambda loc, scale: stats.laplace(loc, scale)),
    E("Cauchy", {"loc": 0.4, "scale": 1.3}, lambda loc, scale: stats.cauchy(loc, scale), moments="e"),
    E("Gumbel", {"loc": 0.4, "scale": 1.3}, lambda loc, scale: stats.gumbel_r(loc, scale)),
    E("StudentT", {"df": 5.5, "loc": 0.4, "scale": 1.3}, lambda df, loc, scale: stats.t(df, loc, scale)),
    E("Uniform", {"low": -0.3, "high": 1.9}, lambda low, high: stats.uniform(low, high - low)),
    E("Exponential", {"rate": 1.7}, lambda rate: stats.expon(scale=1 / rate)),
    E("Gamma", {"concentration": 2.3, "rate": 1.7},
      lambda concentration, rate: stats.gamma(concentration, scale=1 / rate)),
    E("Gamma", {"concentration": 0.4, "rate": 0.6},
      lambda concentration, rate: stats.gamma(concentration, scale=1 / rate), label="small"),
    E("Chi2", {"df": 3.7}, lambda df: stats.chi2(df)),
    E("InverseGamma", {"concentration": 3.3, "rate": 1.7},
      lambda concentration, rate: stats.invgamma(concentration, scale=rate)),
    E("FisherSnedecor", {"df1": 3.0, "df2": 6.5}, lambda df1, df2: stats.f(df1, df2), moments="mvs"),
    E("HalfNormal", {"scale": 1.3}, lambda scale: stats.halfnorm(scale=scale)),
    E("HalfCauchy", {"scale": 1.3}, lambda scale: stats.halfcauchy(scale=scale), moments="e"),
    E("Weibull", {"scale": 1.3, "concentration": 1.6},
      lambda scale, concentration: stats.weibull_min(concentration, scale=scale)),
    E("Pareto", {"scale": 1.3, "alpha": 3.6}, lambda scale, alpha: stats.pareto(alpha, scale=scale)),
    E("GeneralizedPareto", {"loc": 0.4, "scale": 1.3, "concentration": 0.2},
      lambda loc, scale, concentration: stats.genpareto(concentration, loc, scale)),
    E("GeneralizedPareto", {"loc": 0.4, "scale": 1.3, "concentration": -0.3},
      lambda loc, scale, concentration: stats.genpareto(concentration, loc, scale), label="short"),
    E("Beta", {"concentration1": 2.3, "concentration0": 1.4},
      lambda concentration1, concentration0: stats.beta(concentration1, concentration0)),
    E("Beta", {"concentration1": 0.3, "concentration0": 0.7},
      lambda concentration1, concentration0: stats.beta(concentration1, concentration0), label="bowl"),
    E("LogNormal", {"loc": 0.4, "scale": 0.6}, lambda loc, scale: stats.lognorm(scale, scale=np.exp(loc))),
    E("VonMises", {"loc": 0.4, "concentration": 2.3}, lambda loc, concentration: stats.vonmises(concentration, loc),
      moments="e"),
    E("Kumaraswamy", {"concentration1": 2.3, "concentration0": 1.4}),
    E("ContinuousBernoulli", {"probs": 0.3}), E("ContinuousBernoulli", {"logits": 1.4}, label="logits"),
]
DISCRETE = [
    E("Bernoulli", {"probs": 0.3}, lambda probs: stats.bernoulli(probs)),
    E("Bernoulli", {"logits": -0.8}, lambda logits: stats.bernoulli(1 / (1 + np.exp(-logits))), label="logits"),
    E("Binomial", {"probs": 0.3}, lambda total_count, probs: stats.binom(total_count, probs), {"total_count": 7}),
    E("Binomial", {"logits": 0.7}, lambda total_count, logits: stats.binom(total_count, 1 / (1 + np.exp(-logits))),
      {"total_count": 4}, "logits"),
    E("Geometric", {"probs": 0.3}, lambda probs: stats.geom(probs, loc=-1)),
    E("Geometric", {"logits": -0.8}, lambda logits: stats.geom(1 / (1 + np.exp(-logits)), loc=-1), label="logits"),
    E("NegativeBinomial", {"total_count": 2.5, "probs": 0.4},
      lambda total_count, probs: stats.nbinom(total_count, 1 - probs), moments="mvs"),
    E("NegativeBinomial", {"total_count": 2.5, "logits": -0.4},
      lambda total_count, logits: stats.nbinom(total_count, 1 / (1 + np.exp(logits))), label="logits", moments="mvs"),
    E("Poisson", {"rate": 3.4}, lambda rate: stats.poisson(rate), moments="mvs"),
]
VECTORS = [
    E("Dirichlet", {"concentration": np.array([0.7, 2.0, 3.1])}, lambda concentration: stats.dirichlet(concentration)),
    E("Categorical", {"probs": np.array([0.2, 0.5, 0.3])}),
    E("Categorical", {"logits": np.array([0.2, -0.5, 1.3])}, label="logits"),
    E("OneHotCategorical", {"logits": np.array([0.2, -0.5, 1.3])}),
    E("OneHotCategoricalStraightThrough", {"probs": np.array([0.2, 0.5, 0.3])}),
    E("Multinomial", {"probs": np.array([0.2, 0.5, 0.3])},
      lambda total_count, probs: stats.multinomial(total_count, probs), {"total_count": 5}),
    E("Multinomial", {"logits": np.array([0.2, -0.5, 1.3])}, None, {"total_count": 5}, "logits"),
    E("MultivariateNormal", {"loc": np.array([0.3, -0.2]), "covariance_matrix": np.array([[1.5, 0.4], [0.4, 0.9]])},
      lambda loc, covariance_matrix: stats.multivariate_normal(loc, covariance_matrix)),
    E("MultivariateNormal", {"loc": np.array([0.3, -0.2]), "precision_matrix": np.array([[1.5, 0.4], [0.4, 0.9]])},
      lambda loc, precision_matrix: stats.multivariate_normal(loc, np.linalg.inv(precision_matrix)), label="precision"),
    E("MultivariateNormal", {"loc": np.array([0.3, -0.2]), "scale_tril": np.array([[1.5, 0.0], [0.4, 0.9]])},
      lambda loc, scale_tril: stats.multivariate_normal(loc, scale_tril @ scale_tril.T), label="tril"),
    E("LowRankMultivariateNormal", {"loc": np.array([0.3, -0.2, 0.1]), "cov_factor": np.array([[0.5], [1.0], [-0.3]]),
                                    "cov_diag": np.array([0.5, 0.7, 1.1])},
      lambda loc, cov_factor, cov_diag: stats.multivariate_normal(loc, cov_factor @ cov_factor.T + np.diag(cov_diag))),
    E("LogisticNormal", {"loc": np.array([0.3, -0.2]), "scale": np.array([0.7, 1.2])}),
    E("RelaxedBernoulli", {"probs": 0.3}, None, {"temperature": 0.7}),
    E("RelaxedBernoulli", {"logits": 0.8}, None, {"temperature": 0.7}, "logits"),
    E("RelaxedOneHotCategorical", {"probs": np.array([0.2, 0.5, 0.3])}, None, {"temperature": 0.7}),
    E("RelaxedOneHotCategorical", {"logits": np.array([0.2, -0.5, 1.3])}, None, {"temperature": 0.7}, "logits"),
]
EXAMPLES = [*CONTINUOUS, *DISCRETE, *VECTORS]


def host(tensor):
    """The values of a Tensor in NumPy."""
    return tensor.detach().cpu().numpy()
