"""Train a classifier and a variational autoencoder on handwritten digits, and prove that their gradients are right."""
import tinygrad_notes as tn

tn.manual_seed(0)
train, test = tn.data.digits.load()
x, y = test.tensors

classifier = tn.models.MLPClassifier(64, 10, hidden=(128,))
loader = tn.data.DataLoader(train, batch_size=64, shuffle=True)
optimizer = tn.optim.Adam(classifier.parameters(), lr=2e-3)
history = tn.train.fit(classifier, loader, optimizer, epochs=30, progress=None)
print(f"classifier: loss {history['loss'][0]:.2f} -> {history['loss'][-1]:.3f}, "
      f"{classifier.accuracy(x, y):.1%} of held-out digits right")

vae = tn.models.VAE(64, latent_dim=8, hidden=(128,), beta=0.25)
loader = tn.data.DataLoader(tn.data.TensorDataset(train.tensors[0]), batch_size=64, shuffle=True)
history = tn.train.fit(vae, loader, tn.optim.Adam(vae.parameters(), lr=2e-3), epochs=40, progress=None)
print(f"autoencoder: loss {history['loss'][0]:.1f} -> {history['loss'][-1]:.1f} nats per digit")
tn.viz.image_sheet({"samples": vae.sample(40).reshape((40, 8, 8))}).save("samples.svg")

for model, batch in ((classifier, (x[:8], y[:8])), (vae, (x[:8],))):
    loss, parameters = tn.models.loss_of_parameters(model, batch)
    print(tn.gradcheck(loss, parameters, fast_mode=True))
tn.save({"classifier": classifier.state_dict(), "vae": vae.state_dict()}, "quickstart.safetensors")
