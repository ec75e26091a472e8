"""The PyTorch side of bench/nn.bench.ts: the same networks on the CPU, driven line by line like peer.py.

`load` reads initial parameters and batches that the other side wrote; `steps` trains on them once and gives seconds and mean loss. Written
as one would with PyTorch: nn.functional, nn.LSTM, scaled_dot_product_attention and the fused Adam where the version has them, embeddings by
index with dense gradients.
"""
import json
import math
import os
import resource
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F

state = {}


def load(network, threads, folder, arrays, **shape):
    torch.set_num_threads(threads)
    read = lambda name: torch.from_numpy(np.fromfile(os.path.join(folder, f"{name}.f32"), dtype=np.float32)).reshape(arrays[name])
    parameters = {name: read(name) for name in arrays}
    index = lambda name, k: torch.from_numpy(np.fromfile(os.path.join(folder, f"{name}.{k}.i32"), dtype=np.int32).astype(np.int64))
    if shape.get("negatives") is not None:  # negatives come as often as items occur in the first batch, corrected for it
        shape["events"] = index("inputs", 0)
    build = {"sasrec": sasrec, "lstm": lstm, "two-tower": two_tower, "dcn": dcn}[network]
    trained, loss, names = build(parameters, shape)
    for tensor in trained:
        tensor.requires_grad_()
    options = {"fused": True} if tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 4) else {}
    optimizer = torch.optim.Adam(trained, lr=1e-3, **options)
    batches = []
    while os.path.exists(os.path.join(folder, f"{names[0]}.{len(batches)}.i32")):
        batches.append([index(name, len(batches)) for name in names])
    state.update(loss=loss, optimizer=optimizer, batches=batches)
    return {}


def steps(batches):
    total = 0.0
    start = time.perf_counter()
    for batch in state["batches"][:batches]:
        state["optimizer"].zero_grad(set_to_none=True)
        loss = state["loss"](*batch)
        loss.backward()
        state["optimizer"].step()
        total += loss.item()
    return {"seconds": time.perf_counter() - start, "loss": total / batches}


def dense(p, name, x):
    return x @ p[f"{name}.weight"] + p[f"{name}.bias"]


def next_item_loss(p, shape):
    items, negatives, events = p["items"], shape.get("negatives"), shape.get("events")
    if negatives is None:
        return lambda hidden, targets: F.cross_entropy(hidden @ items.T, targets)
    log_share = (torch.bincount(events, minlength=len(items)).clamp(min=1) / len(events)).log()

    def loss(hidden, targets):
        drawn = events[torch.randint(len(events), (negatives,))]
        positive = (hidden * F.embedding(targets, items)).sum(-1, keepdim=True)
        scores = hidden @ F.embedding(drawn, items).T - log_share[drawn] - math.log(negatives)
        return F.cross_entropy(torch.cat([positive, scores], 1), torch.zeros(len(targets), dtype=torch.int64))

    return loss


def sasrec(p, shape):
    batch, length, d = shape["batch"], shape["length"], shape["dimensions"]
    next_item = next_item_loss(p, shape)
    mask = torch.full((length, length), float("-inf")).triu(1)

    def attention(q, k, v):
        if hasattr(F, "scaled_dot_product_attention"):
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return torch.softmax(q @ k.transpose(1, 2) / d**0.5 + mask, -1) @ v

    def loss(inputs, targets):
        norm = lambda x, name: F.layer_norm(x, (d,), p[f"{name}.gain"], p[f"{name}.bias"])
        x = F.embedding(inputs.view(batch, length), p["items"]) * d**0.5 + p["positions"]
        for block in range(shape["layers"]):
            own = f"block{block}"
            y = norm(x, f"{own}.norm1")
            q, k, v = (dense(p, f"{own}.attention.{role}0", y) for role in ("query", "key", "value"))
            x = x + attention(q, k, v) @ p[f"{own}.attention.out0.weight"] + p[f"{own}.attention.out.bias"]
            y = torch.relu(dense(p, f"{own}.inner", norm(x, f"{own}.norm2")))
            x = x + dense(p, f"{own}.outer", y)
        return next_item(norm(x, "last").view(-1, d), targets)

    return list(p.values()), loss, ["inputs", "targets"]


def lstm(p, shape):
    batch, length, d, layers = shape["batch"], shape["length"], shape["dimensions"], shape["layers"]
    next_item = next_item_loss(p, shape)
    network = torch.nn.LSTM(d, d, layers, batch_first=True)
    gates = lambda x: torch.cat([x.chunk(4)[k] for k in (0, 1, 3, 2)])  # input, forget, output, candidate → torch's input, forget, candidate, output
    with torch.no_grad():
        for layer in range(layers):
            own = f"layer{layer}"
            getattr(network, f"weight_ih_l{layer}").copy_(gates(p[f"{own}.input"].T))
            getattr(network, f"weight_hh_l{layer}").copy_(gates(p[f"{own}.recurrent"].T))
            getattr(network, f"bias_ih_l{layer}").copy_(gates(p[f"{own}.bias"]))
            bias = getattr(network, f"bias_hh_l{layer}")
            bias.zero_()
    trained = list(network.parameters()) + [p["items"], p["out.weight"], p["out.bias"]]

    def loss(inputs, targets):
        rows = F.embedding(inputs.view(batch, length), p["items"]) * d**0.5
        hidden = dense(p, "out", network(rows)[0])
        return next_item(hidden.reshape(-1, d), targets)

    return trained, loss, ["inputs", "targets"]


def two_tower(p, shape):
    def tower(name, table, rows):
        return dense(p, f"{name}.out", torch.relu(dense(p, f"{name}.layer0", F.embedding(rows, p[table]))))

    def loss(user, item):
        scores = tower("user", "users", user) @ tower("item", "items", item).T
        return F.cross_entropy(scores, torch.arange(len(user)))

    return list(p.values()), loss, ["user", "item"]


def dcn(p, shape):
    def loss(fields, target):
        first = F.embedding(fields.view(-1, shape["fields"]), p["fields"]).flatten(1)
        x = first
        for layer in range(shape["cross"]):
            x = first * dense(p, f"cross{layer}", x) + x
        deep = first
        for layer in range(shape["deep"]):
            deep = torch.relu(dense(p, f"deep{layer}", deep))
        logits = dense(p, "out", torch.cat([x, deep], 1)).squeeze(1)
        return F.binary_cross_entropy_with_logits(logits, target.float())

    return list(p.values()), loss, ["fields", "target"]


def name():
    return {"name": f"PyTorch {torch.__version__}{' (MKL)' if torch.backends.mkl.is_available() else ' (without MKL)'}"}


commands = {f.__name__: f for f in (name, load, steps)}
for line in sys.stdin:
    request = json.loads(line)
    answer = commands[request.pop("command")](**request)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(json.dumps({**answer, "peakMiB": peak}), flush=True)
