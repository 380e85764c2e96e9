"""A training loop of one's own in PyTorch: a loss is a function of tensors, so `backward` sees through it."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

import keras_losses as kl

images, digits = load_digits(return_X_y=True)
rare = (digits == 8).astype("float32")[:, None]
batches = DataLoader(TensorDataset(torch.tensor(images / 16, dtype=torch.float32), torch.tensor(rare)), batch_size=64)

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(1)])
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
loss = kl.BinaryFocalCrossentropy(gamma=2, from_logits=True)


def step(x, y):
    optimizer.zero_grad()
    value = loss(y, model(x, training=True))
    value.backward()
    optimizer.step()
    return value.item()


means = [sum(step(x, y) for x, y in batches) / len(batches) for _ in range(10)]
print(f"focal loss per epoch: {means[0]:.4f} at the start, {means[-1]:.4f} at the end")
assert means[-1] < 0.7 * means[0], means
