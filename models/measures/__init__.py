"""Measures of generative models: likelihood, and distances between samples and data."""
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
