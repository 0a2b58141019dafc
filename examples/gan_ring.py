"""Which of eight narrow clouds on a circle do adversarial networks reach? The test of mode collapse.

The clouds have a standard deviation of 0.02 on a circle of radius 2. A generator must tear a connected cloud of noise
into eight pieces, and whatever it leaves between them is a miss: a sample counts where it is within three standard
deviations of a cloud, and a cloud counts where at least 1% of the samples are.
"""
import sys

import tinygrad_notes as tn
from tinygrad_notes.models.recipes.gan import covered


def train(model, x, epochs, lr=1e-3):
    """Both players by their own optimizers, with a rate that falls to a fiftieth on a straight line."""
    loader = tn.data.DataLoader(tn.data.TensorDataset(x), 256, shuffle=True)
    optimizers = model.optimizers(lr)
    falling = [tn.optim.lr_scheduler.LinearLR(o, 1.0, 0.02, epochs * len(loader)) for o in optimizers.values()]
    trainer = tn.train.Trainer(model, loader, optimizers, update=lambda trainer, batch: model.update(trainer, *batch),
                               scheduler=falling, scheduler_per="step")
    trainer.fit(epochs)


def main(epochs=400):
    """Train both kinds of model; returns {name: (clouds reached, share of 5,000 samples that are in one)}."""
    found = {}
    for name, make in (("GAN", lambda: tn.models.GAN(2)),
                       ("WGAN with gradient penalty", lambda: tn.models.WGAN(2, weight=0.1, critic_steps=1))):
        tn.manual_seed(0)
        x, y = tn.data.eight_gaussians(4000, noise=0.02, generator=0)
        model = make()
        train(model, x, epochs)
        samples = model.sample(5000)
        found[name] = covered(x, samples, y)
        print(f"{name}: {found[name][0]} of 8 clouds, {found[name][1]:.1%} of samples in one of them")
        both, of = tn.concat([x[:1000], samples[:1000]]), [0] * 1000 + [1] * 1000
        picture = tn.viz.scatter(both, of, name, names=["data", "generated"], equal=True)
        picture.save(f"{name.split()[0].lower()}_ring.svg")
    return found


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
