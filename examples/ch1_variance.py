"""Chapter 1 of the notes, figure 1.6: the variance of activations and gradients from layer to layer, 7 layers of 4.

With weights of variance s that of activations changes by the factor 4 s / 2 from one layer to the next: only s = 1/2
keeps it. One net of width 4 tells little, so 60,000 are averaged. Backward the lines bend a little, because one layer
of 4 in 16 dies and lets no gradient pass.
"""
import tinygrad_notes as tn

VARIANCES = (1.0, 0.5, 0.1, 0.01, 0.001)


def main(nets=60_000):
    """Print the growth per layer, measured and predicted, and draw both figures; {s: (forward, backward)}."""
    traces = {s: tn.nn.variance_over_inits([4] * 8, s, nets, tn.Generator(0)) for s in VARIANCES}
    for s, (forward, _) in traces.items():
        growth = (forward[3] / forward[0]) ** (1 / 3)
        print(f"weights of variance {s:5}: x {growth:.4f} per layer, predicted {2 * s:.4f}")
    for k, (name, title) in enumerate((("forward", "pre-activations"), ("backward", "gradients"))):
        picture = tn.viz.plot_variances({f"s = {s}": pair[k] for s, pair in traces.items()}, f"variance of {title}")
        picture.save(f"ch1_variance_{name}.svg")
    return traces


if __name__ == "__main__":
    main()
