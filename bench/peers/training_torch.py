"""PyTorch: the autoencoders that scarce's stage trains, by the loop that one would write."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from protocol import serve

PIXELS = 784


def dense():
    """784, 36, 784; the sigmoid of the output is part of the loss."""
    network = nn.Sequential(nn.Linear(PIXELS, 36), nn.ReLU(), nn.Linear(36, PIXELS))
    for layer in [network[0], network[2]]:
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    return network, lambda x: functional.binary_cross_entropy_with_logits(network(x), x)


def conv():
    """Two convolutions that halve the image, a code of 128, and the way back."""
    network = nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 16, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 128),
        nn.Linear(128, 32 * 7 * 7),
        nn.ReLU(),
        nn.Unflatten(1, (32, 7, 7)),
        nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 3, stride=2, padding=1, output_padding=1),
        nn.Sigmoid(),
        nn.Flatten(),
    )
    # Ours start transposed convolutions within one over the root of their inputs, like all layers.
    # PyTorch counts outputs there and so starts wider, which is another network to begin with.
    for layer in network:
        if isinstance(layer, nn.ConvTranspose2d):
            bound = (layer.in_channels * 9) ** -0.5
            for weights in layer.parameters():
                nn.init.uniform_(weights, -bound, bound)
    return network, lambda x: functional.mse_loss(network(x), x)


def variational():
    """784, 400, the mean and the log variance of 20 numbers, 400, 784."""
    encoder = nn.Sequential(nn.Linear(PIXELS, 400), nn.ReLU(), nn.Linear(400, 40))
    decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, PIXELS))

    def loss(x):
        mean, log_variance = encoder(x).chunk(2, dim=1)
        code = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        divergence = (mean**2 + log_variance.exp() - log_variance - 1).sum(dim=1).mean() / 2
        back = functional.binary_cross_entropy_with_logits(decoder(code), x)
        # as large as that of a plain autoencoder
        return back + divergence / PIXELS

    return nn.ModuleList([encoder, decoder]), loss


NETWORKS = {"dense-36": dense, "conv-128": conv, "vae-20": variational}


class Shuffled:
    """Batches of rows that lie in memory, in a new order each time."""

    def __init__(self, x, batch):
        self.x, self.batch = x, batch

    def __iter__(self):
        for rows in torch.randperm(len(self.x)).split(self.batch):
            yield (self.x[rows],)


def prepare(data, params, threads):
    torch.set_num_threads(threads)
    return torch.from_numpy(np.load(data["x"])), params


def work(state, clock):
    x, params = state
    torch.manual_seed(0)
    network, loss = NETWORKS[params["network"]]()
    optimiser = torch.optim.Adam(network.parameters(), lr=params["rate"])
    batch = params["batch"]
    batches = DataLoader(TensorDataset(x), batch, shuffle=True) if params["loader"] else Shuffled(x, batch)
    with clock:
        for _ in range(params["epochs"]):
            total = torch.zeros(())
            for (rows,) in batches:
                optimiser.zero_grad()
                value = loss(rows)
                value.backward()
                optimiser.step()
                total += value.detach() * len(rows)
    return {params["measure"]: total / len(x)}


def name(state):
    release = torch.__version__.split("+")[0]
    return f"PyTorch {release}{', DataLoader' if state[1]['loader'] else ''}"


serve(name, prepare, work)
