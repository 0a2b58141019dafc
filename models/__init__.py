"""One file per model family, built from the public parts of the package."""
from . import flows, recipes
from .adversarial_autoencoder import AdversarialAutoencoder, WassersteinAutoencoder
from .autoencoder import (
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    LinearAutoencoder,
    SparseAutoencoder,
)
from .cyclegan import CycleGAN, cycle_loss
from .dcgan import DCGAN, ConvDiscriminator, ConvGenerator
from .gan import GAN, ConditionalGAN, Discriminator, MinibatchDiscrimination
from .gnn import GCN, GIN, LinkPredictor
from .infogan import InfoGAN
from .mlp import MLPClassifier
from .recipes import RECIPES, loss_of_parameters
from .vae import VAE
from .vq_vae import VQVAE, VectorQuantizer
from .wgan import WGAN

__all__ = [
    "MLPClassifier",
    "GCN", "GIN", "LinkPredictor",
    "AdversarialAutoencoder", "Autoencoder", "ContractiveAutoencoder", "DenoisingAutoencoder", "LinearAutoencoder",
    "SparseAutoencoder", "VQVAE", "VectorQuantizer", "WassersteinAutoencoder",
    "VAE",
    "ConditionalGAN", "ConvDiscriminator", "ConvGenerator", "CycleGAN", "DCGAN", "Discriminator", "GAN", "InfoGAN",
    "MinibatchDiscrimination", "WGAN", "cycle_loss",
    "flows",
    "RECIPES", "loss_of_parameters", "recipes",
]
