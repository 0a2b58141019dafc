"""Diffusion and scores: noise put on step by step, a network that takes it off, samplers that follow a score.

    x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) e,  e ~ N(0, I)        data with noise, abar_t from 1 to about 0
    e(x_t, t) = -sqrt(1 - abar_t) grad log q(x_t)                    the best guess of the noise is the score, scaled
    E[x_0 | x_t] = (x_t + (1 - abar_t) grad log q(x_t)) / sqrt(abar_t)    Tweedie's formula

    schedules, process     how much noise is added when, and what follows in closed form
    denoisers, ddpm        networks that guess the noise; sampling in all steps, in few, guided by classes
    score, langevin        scores at every strength of the noise; chains that follow them, with a test and without
"""
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
