"""Diffusion and scores: noise put on step by step, a network that takes it off, samplers that follow a score."""
from .ddpm import DDPM
from .denoisers import ImageDenoiser, MLPDenoiser, time_features
from .langevin import Chains, langevin, mala, score_of, tweedie
from .process import Process
from .schedules import constant_schedule, cosine_schedule, linear_schedule
from .score import ScoreModel

__all__ = [
    "Chains", "DDPM", "ImageDenoiser", "MLPDenoiser", "Process", "ScoreModel", "constant_schedule", "cosine_schedule",
    "langevin", "linear_schedule", "mala", "score_of", "time_features", "tweedie",
]
