"""The Python side of the benchmarks: implicit (ALS, batch recommend, neighbours), scipy and numpy (one query), driven line by line.

Started by peer.ts with the folder of raw arrays that both sides read and write. Every command answers one JSON line;
`seconds` is the time of the work alone, without exchange of data; `peakMiB` the largest resident memory of this process so far.
"""
import json
import os
import resource
import sys
import time

import implicit
import numpy as np
import scipy.sparse
from implicit._nearest_neighbours import all_pairs_knn
from implicit.cpu.als import AlternatingLeastSquares

folder = sys.argv[1]
state = {}


def floats(name):
    return np.fromfile(os.path.join(folder, name), dtype=np.float32)


def matrix(side, data_folder, rows, columns, alpha):
    read = lambda name, dtype: np.fromfile(os.path.join(data_folder, f"{side}-{name}"), dtype=dtype)
    confidence = 1 + np.float32(alpha) * read("values.f32", np.float32)  # implicit takes c itself
    return scipy.sparse.csr_matrix((confidence, read("indices.i32", np.int32), read("offsets.i32", np.int32)), shape=(rows, columns))


def load_als(data, users, items, factors, alpha, regularization, solver, threads):
    model = AlternatingLeastSquares(
        factors=factors, regularization=regularization, use_cg=solver == "cg", num_threads=threads, alpha=1.0
    )
    model.user_factors = floats("user-factors.f32").reshape(users, factors)
    model.item_factors = floats("item-factors.f32").reshape(items, factors)
    state.update(model=model, by_user=matrix("user", data, users, items, alpha), by_item=matrix("item", data, items, users, alpha))
    return {}


def iterate():
    model = state["model"]
    start = time.perf_counter()
    model.solver(state["by_user"], model.user_factors, model.item_factors, model.regularization, num_threads=model.num_threads)
    model.solver(state["by_item"], model.item_factors, model.user_factors, model.regularization, num_threads=model.num_threads)
    return {"seconds": time.perf_counter() - start}


def save_factors():
    state["model"].user_factors.tofile(os.path.join(folder, "peer-user-factors.f32"))
    state["model"].item_factors.tofile(os.path.join(folder, "peer-item-factors.f32"))
    return {}


def recommend_all(top_k):
    """Every user, seen items left out, in the batches of 1,000 that implicit's own evaluation uses."""
    model, by_user = state["model"], state["by_user"]
    users = by_user.shape[0]
    ids = np.empty((users, top_k), dtype=np.int32)
    start = time.perf_counter()
    for begin in range(0, users, 1000):
        batch = np.arange(begin, min(begin + 1000, users))
        ids[begin : begin + len(batch)], _ = model.recommend(batch, by_user[batch], N=top_k, filter_already_liked_items=True)
    seconds = time.perf_counter() - start
    ids.tofile(os.path.join(folder, "peer-lists.i32"))
    return {"seconds": seconds}


def load_bpr(users, items, factors, learning_rate, regularization, threads):
    """Pairs and initial factors, whose last column is 1 for users and the bias for items, as raw arrays in the folder."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    read = lambda name: np.fromfile(os.path.join(folder, name), dtype=np.int32)
    indices = read("train-indices.i32")
    pairs = scipy.sparse.csr_matrix((np.ones(len(indices), np.float32), indices, read("train-offsets.i32")), shape=(users, items))
    model = BayesianPersonalizedRanking(
        factors=factors, learning_rate=learning_rate, regularization=regularization, iterations=1, num_threads=threads, random_state=1
    )
    model.user_factors = floats("user-factors.f32").reshape(users, factors + 1)
    model.item_factors = floats("item-factors.f32").reshape(items, factors + 1)
    state.update(model=model, pairs=pairs)
    return {}


def bpr_epoch():
    """The epoch alone, as implicit measures it for its callback."""
    seconds = []
    state["model"].fit(state["pairs"], show_progress=False, callback=lambda epoch, elapsed, *_: seconds.append(elapsed))
    return {"seconds": seconds[0]}


def load_items(items, dimensions):
    state.update(items=floats("items.f32").reshape(items, dimensions))
    return {}


def search(top_k, repeats):
    """One query over all items: matrix-vector product, partition, sort. The best of `repeats` in a row."""
    query = floats("query.f32")
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        scores = state["items"] @ query
        top = np.argpartition(-scores, top_k)[:top_k]
        top = top[np.argsort(-scores[top])]
        best = min(best, time.perf_counter() - start)
    return {"seconds": best, "items": top.tolist()}


def load_ease(data, users, items):
    pairs = matrix("user", data, users, items, 0.0)  # 1 + 0 · weight: binary
    state.update(pairs=pairs)
    return {}


def fit_ease(dtype, regularization):
    """EASE as its paper's code does it: Gram matrix, general inverse, weights in place."""
    pairs = state["pairs"].astype(dtype)
    start = time.perf_counter()
    gram = (pairs.T @ pairs).toarray()
    gram[np.diag_indices_from(gram)] += np.dtype(dtype).type(regularization)
    inverted = time.perf_counter()
    weights = np.linalg.inv(gram)
    del gram
    done = time.perf_counter()
    weights /= -np.diag(weights).copy()
    weights[np.diag_indices_from(weights)] = 0
    seconds = time.perf_counter() - start
    state.update(weights=weights)
    return {"seconds": seconds, "inverseSeconds": done - inverted}


def ease_rows(step):
    """Every step-th row of the weights, and the ten best new items of every step-th user."""
    weights, pairs = state["weights"], state["pairs"][::step]
    weights[::step].astype(np.float32).tofile(os.path.join(folder, "peer-weights.f32"))
    scores = pairs.astype(weights.dtype) @ weights
    scores[pairs.nonzero()] = -np.inf
    np.argsort(-scores, axis=1, kind="stable")[:, :10].astype(np.int32).tofile(os.path.join(folder, "peer-lists.i32"))
    return {}


def load_weighted(items, users):
    read = lambda name, dtype: np.fromfile(os.path.join(folder, f"weighted-{name}"), dtype=dtype)
    values = read("values", np.float32).astype(np.float64)  # all that all_pairs_knn takes
    by_item = scipy.sparse.csr_matrix((values, read("indices", np.int32), read("offsets", np.int32)), shape=(items, users))
    state.update(weighted=by_item.T.tocsr())
    return {}


def nearest_items(count, threads):
    """The nearest items of every item, itself among them, best first; -1 where there are fewer."""
    start = time.perf_counter()
    nearest = all_pairs_knn(state["weighted"], count, show_progress=False, num_threads=threads).tocsr()
    seconds = time.perf_counter() - start
    out = np.full((nearest.shape[0], count), -1, dtype=np.int32)
    for row in range(nearest.shape[0]):
        begin, end = nearest.indptr[row], nearest.indptr[row + 1]
        order = np.argsort(-nearest.data[begin:end], kind="stable")
        out[row, : len(order)] = nearest.indices[begin:end][order]
    out.tofile(os.path.join(folder, "peer-neighbours.i32"))
    return {"seconds": seconds}


def product():
    """X.T @ X in blocks of 512 rows, each dropped at once: the whole does not fit."""
    weighted = state["weighted"]
    by_item = weighted.T.tocsr()
    start = time.perf_counter()
    for begin in range(0, by_item.shape[0], 512):
        by_item[begin : begin + 512] @ weighted
    return {"seconds": time.perf_counter() - start}


def name():
    return {"name": f"implicit {implicit.__version__}", "numpy": np.__version__}


known = (name, load_als, iterate, save_factors, recommend_all, load_bpr, bpr_epoch, load_items, search, load_weighted, nearest_items, product, load_ease, fit_ease, ease_rows)
commands = {f.__name__: f for f in known}
for line in sys.stdin:
    arguments = json.loads(line)
    answer = commands[arguments.pop("command")](**arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(json.dumps({**answer, "peakMiB": peak}), flush=True)
