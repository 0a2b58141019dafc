"""One file per model family, built from the public parts of the package; each can be read as a chapter, in this order.

    linear, kernel, ensemble                least squares, ridge, features, principal components; kernels; bagging
    classifier, mlp, cnn, resnet, unet      what classifiers share; networks for rows, images, signals, and places
    rnn, gpt, bert, seq2seq, decode, vit    sequences: what comes next, what is hidden, what it means; how to write
    gnn, graphs                             nodes, edges and whole graphs, by convolutions, attention and messages
    autoencoder, adversarial_autoencoder,   codes that are narrow, noisy, sparse or flat; codes that follow a prior;
        vq_vae                                  codes that are entries of a table
    vae, conditional_vae, iwae,             models with latent variables and their bounds
        hierarchical_vae
    gan, wgan, infogan, dcgan, cyclegan     two players: losses, distances, codes, convolutions, maps without pairs
    flows/                                  bijections with their log-determinants
    diffusion/                              noise put on and taken off; scores and chains that follow them
    measures/                               how good samples and densities are
    recipes/                                what the command line knows of all of them

Every model has `loss(*batch)`, and `sample(n)` or `predict(x)`.
"""
from . import decode, diffusion, flows, measures, recipes
from .adversarial_autoencoder import AdversarialAutoencoder, WassersteinAutoencoder
from .autoencoder import Autoencoder, ContractiveAutoencoder, DenoisingAutoencoder, LinearAutoencoder, SparseAutoencoder
from .bert import BERT
from .classifier import Classifier
from .cnn import LeNet, SignalConvNet
from .conditional_vae import ConditionalVAE
from .cyclegan import CycleGAN, cycle_loss
from .dcgan import DCGAN, ConvDiscriminator, ConvGenerator
from .ensemble import Bagging, Ensemble
from .gan import GAN, ConditionalGAN, Discriminator, MinibatchDiscrimination
from .gnn import GCN, GIN, LinkPredictor, NodeClassifier
from .gpt import GPT, LanguageModel
from .graphs import GAT, MPNN, GraphSAGE, MessageLayer, OnGraph
from .hierarchical_vae import HierarchicalVAE
from .infogan import InfoGAN
from .iwae import IWAE
from .kernel import KernelRidge, linear_kernel, polynomial_kernel, rbf_kernel
from .linear import PCA, LeastSquaresClassifier, LinearRegression, PolynomialFeatures, RBFFeatures
from .mlp import MLPClassifier
from .recipes import RECIPES, loss_of_parameters
from .resnet import BasicBlock, Bottleneck, ResidualMLP, ResNet, resnet18, resnet34, resnet50, resnet101, resnet152
from .rnn import RNNLanguageModel
from .seq2seq import Seq2Seq
from .unet import UNet, overlap
from .vae import VAE
from .vit import ViT
from .vq_vae import VQVAE, VectorQuantizer
from .wgan import WGAN

__all__ = [
    "AdversarialAutoencoder", "Autoencoder", "BERT", "Bagging", "BasicBlock", "Bottleneck", "Classifier",
    "ConditionalGAN", "ConditionalVAE", "ContractiveAutoencoder", "ConvDiscriminator", "ConvGenerator", "CycleGAN",
    "DCGAN", "DenoisingAutoencoder", "Discriminator", "Ensemble", "GAN", "GAT", "GCN", "GIN", "GPT", "GraphSAGE",
    "HierarchicalVAE", "IWAE", "InfoGAN", "KernelRidge", "LanguageModel", "LeNet", "LeastSquaresClassifier",
    "LinearAutoencoder", "LinearRegression", "LinkPredictor", "MLPClassifier", "MPNN", "MessageLayer",
    "MinibatchDiscrimination", "NodeClassifier", "OnGraph", "PCA", "PolynomialFeatures", "RBFFeatures", "RECIPES",
    "RNNLanguageModel", "ResNet", "ResidualMLP", "Seq2Seq", "SignalConvNet", "SparseAutoencoder", "UNet", "VAE",
    "VQVAE", "VectorQuantizer", "ViT", "WGAN", "WassersteinAutoencoder", "cycle_loss", "decode", "diffusion",
    "flows", "linear_kernel", "loss_of_parameters", "measures", "overlap", "polynomial_kernel", "rbf_kernel",
    "recipes", "resnet101", "resnet152", "resnet18", "resnet34", "resnet50",
]
