"""Measures of generative models: likelihood, and distances between samples and data.

    likelihood     bits per dimension; log p(x) of models with latent variables, by importance sampling
    distances      two samples compared: kernels (MMD), slices, means and covariances (Frechet), neighbours (precision:
                   are samples like data? recall: are data like samples?), modes reached
    judge          digits as the package's own classifier sees them: Inception-style score, Frechet distance

No number says all: a model that repeats its data has the best distances, and the one of best likelihood may draw badly.
"""
from .distances import (
    ModeCoverage,
    PrecisionRecall,
    frechet_distance,
    gaussian_distance,
    mmd,
    mode_coverage,
    precision_recall,
    sliced_wasserstein,
)
from .judge import DigitJudge, inception_score
from .likelihood import bits_per_dimension, effective_sample_size, importance_log_likelihood

__all__ = [
    "DigitJudge", "ModeCoverage", "PrecisionRecall", "bits_per_dimension", "effective_sample_size", "frechet_distance",
    "gaussian_distance", "importance_log_likelihood", "inception_score", "mmd", "mode_coverage", "precision_recall",
    "sliced_wasserstein",
]
