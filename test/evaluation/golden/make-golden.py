"""Golden values for the metrics: a second, naive implementation that shares nothing with src/evaluation but the definitions.

Plain Python, no packages. Writes golden.json beside itself (seeded, so the same Python version gives the same file):
    python3 test/evaluation/golden/make-golden.py && npx biome format --write test/evaluation/golden/golden.json
"""

import itertools
import json
import math
import pathlib
import platform
import random

rng = random.Random(20240917)


# ---- one query -------------------------------------------------------------------------------------------------------


def allowed_items(case, world):
    had = {item for item, _ in world["history"][case["user"]]} if world["excludeSeen"] else set()
    return [item for item in range(world["numItems"]) if item not in had]


def shown_list(case, world):
    """As a person sees it: by falling score, equal scores by ascending index."""
    return sorted(allowed_items(case, world), key=lambda item: (-case["scores"][item], item))


def judged_list(case, world):
    """As it is judged: among equal scores those that count least come first."""
    count = case["relevant"].count
    return sorted(allowed_items(case, world), key=lambda item: (-case["scores"][item], count(item), item))


def precision(case, world, k):
    return sum(case["relevant"].count(item) for item in judged_list(case, world)[:k]) / k


def hits(case, world, k):
    return [1 if item in case["relevant"] else 0 for item in judged_list(case, world)[:k]]


def recall(case, world, k):
    return sum(hits(case, world, k)) / len(set(case["relevant"]))


def recall_truncated(case, world, k):
    return sum(hits(case, world, k)) / min(k, len(set(case["relevant"])))


def hit_rate(case, world, k):
    return 1.0 if any(hits(case, world, k)) else 0.0


def mrr(case, world, k):
    for place, hit in enumerate(hits(case, world, k), start=1):
        if hit:
            return 1 / place
    return 0.0


def average_precision(case, world, k):
    row = hits(case, world, k)
    total = 0.0
    for place in range(1, len(row) + 1):
        if row[place - 1]:
            total += sum(row[:place]) / place
    return total / min(k, len(set(case["relevant"])))


def ndcg(case, world, k):
    gain = sum(hit / math.log(place + 1, 2) for place, hit in enumerate(hits(case, world, k), start=1))
    ideal = sum(1 / math.log(place + 1, 2) for place in range(1, min(k, len(set(case["relevant"]))) + 1))
    return gain / ideal


def auc(case, world):
    allowed = set(allowed_items(case, world))
    relevant = set(case["relevant"])
    others = allowed - relevant
    if not others:
        return None
    won = 0.0
    for good in relevant:
        for other in others:
            if good not in allowed:
                continue
            if case["scores"][good] > case["scores"][other]:
                won += 1
            elif case["scores"][good] == case["scores"][other]:
                won += 0.5
    return won / (len(relevant) * len(others))


def novelty(case, world, k):
    rows = shown_list(case, world)[:k]
    if not rows:
        return None
    users = [{item for item, _ in row} for row in world["history"] if row]
    share = [max(1, sum(item in user for user in users)) / max(1, len(users)) for item in rows]
    return sum(-math.log(p, 2) for p in share) / len(rows)


def average_popularity(case, world, k):
    rows = shown_list(case, world)[:k]
    return sum(world["popularity"][item] for item in rows) / len(rows) if rows else None


def cosine(a, b):
    length = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(x * x for x in b))
    return sum(x * y for x, y in zip(a, b)) / length if length > 0 else 0.0


def diversity(case, world, k):
    rows = shown_list(case, world)[:k]
    pairs = list(itertools.combinations(rows, 2))
    if not pairs:
        return None
    return sum(1 - cosine(world["vectors"][i], world["vectors"][j]) for i, j in pairs) / len(pairs)


def serendipity(case, world, k):
    popular = sorted(range(world["numItems"]), key=lambda item: (-world["popularity"][item], item))[:k]
    rows = judged_list(case, world)[:k]
    return len([item for item in rows if item in case["relevant"] and item not in popular]) / k


def shares(weighted_items, world):
    mass = {}
    for item, weight in weighted_items:
        names = world["categories"][item] or []
        names = sorted(set([names] if isinstance(names, str) else names))
        for name in names:
            mass[name] = mass.get(name, 0.0) + weight / len(names)
    total = sum(mass.values())
    return {name: value / total for name, value in mass.items()} if total > 0 else None


def calibration(case, world, k):
    p = shares(world["history"][case["user"]], world)
    q = shares([(item, 1.0) for item in shown_list(case, world)[:k]], world)
    if p is None or q is None:
        return None
    return sum(p[c] * math.log(p[c] / (0.99 * q.get(c, 0.0) + 0.01 * p[c])) for c in p if p[c] > 0)


# ---- a whole run -----------------------------------------------------------------------------------------------------


def exposure(cases, world, k):
    counts = [0] * world["numItems"]
    for case in cases:
        for item in shown_list(case, world)[:k]:
            counts[item] += 1
    return counts


def coverage(cases, world, k):
    return sum(count > 0 for count in exposure(cases, world, k)) / world["numItems"]


def gini(cases, world, k):
    """Mean absolute difference over twice the mean."""
    counts = exposure(cases, world, k)
    if sum(counts) == 0:
        return None
    n = len(counts)
    return sum(abs(a - b) for a in counts for b in counts) / (2 * n * sum(counts))


AT_K = {
    "precision": precision,
    "recall": recall,
    "recall-truncated": recall_truncated,
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": mrr,
    "hit-rate": hit_rate,
    "accuracy": hit_rate,
    "novelty": novelty,
    "average-popularity": average_popularity,
    "diversity": diversity,
    "serendipity": serendipity,
    "calibration": calibration,
}


def mean(values):
    defined = [value for value in values if value is not None]
    return math.fsum(defined) / len(defined) if defined else None


def figures(world, ks):
    judged = [case for case in world["cases"] if case["relevant"]]
    out = {"auc": mean(auc(case, world) for case in judged)}
    for k in ks:
        for name, metric in AT_K.items():
            out[f"{name}@{k}"] = mean(metric(case, world, k) for case in judged)
        out[f"coverage@{k}"] = coverage(judged, world, k)
        out[f"gini@{k}"] = gini(judged, world, k)
    return out


# ---- inputs: all numbers are exact in 32 bits ------------------------------------------------------------------------


def make_world(name, num_items=12, num_users=5, levels=6, relevant=(0, 5), repeats=False, had=(0, 4), exclude_seen=True, ks=(1, 3, 5, 40)):
    items = list(range(num_items))
    history = [[[item, rng.randint(1, 8) / 2] for item in sorted(rng.sample(items, rng.randint(*had)))] for _ in range(num_users)]
    cases = []
    for user in range(num_users):
        answers = rng.sample(items, min(num_items, rng.randint(*relevant)))
        if repeats:
            answers += rng.choices(answers, k=len(answers)) if answers else []
        cases.append({"user": user, "scores": [rng.randrange(levels) / 8 for _ in items], "relevant": answers})
    if not any(case["relevant"] for case in cases):
        cases[0]["relevant"] = [0]
    world = {
        "name": name,
        "numItems": num_items,
        "excludeSeen": exclude_seen,
        "history": history,
        "popularity": [rng.choice([0, 0, 1, 2, 2, 5, 9]) for _ in items],
        "vectors": [[rng.randint(-8, 8) / 4 for _ in range(3)] for _ in items],
        "categories": [rng.choice(["a", "b", ["a", "c"], ["b", "b", "d"], None, []]) for _ in items],
        "cases": cases,
    }
    world["vectors"][rng.randrange(num_items)] = [0.0, 0.0, 0.0]
    world["metrics"] = figures(world, ks)
    return world


def worlds():
    yield from (make_world(f"random {n}", num_items=rng.randint(6, 20), levels=1000) for n in range(6))
    yield from (make_world(f"ties {n}", levels=3) for n in range(6))
    yield from (make_world(f"constant scores {n}", levels=1) for n in range(3))
    yield from (make_world(f"repeated relevant items {n}", repeats=True, exclude_seen=False, levels=4) for n in range(4))
    yield from (make_world(f"short lists {n}", num_items=6, had=(3, 6), relevant=(1, 3)) for n in range(3))
    yield make_world("all items relevant", num_items=7, relevant=(7, 7), exclude_seen=False)
    yield make_world("one item", num_items=1, num_users=2, relevant=(1, 1), had=(0, 0))
    yield make_world("no history", had=(0, 0))
    yield make_world("one relevant item each", relevant=(1, 1), had=(0, 2), levels=50)


# ---- comparisons -----------------------------------------------------------------------------------------------------


def t_two_sided(t, n):
    """Abramowitz & Stegun 26.7.3 and 26.7.4: a finite sum for whole degrees of freedom."""
    theta = math.atan(abs(t) / math.sqrt(n))
    sin, cos = math.sin(theta), math.cos(theta)
    if n == 1:
        inside = 2 * theta / math.pi
    elif n % 2 == 1:
        term, total = cos, cos
        for j in range(3, n - 1, 2):
            term *= (j - 1) / j * cos * cos
            total += term
        inside = 2 / math.pi * (theta + sin * total)
    else:
        term, total = 1.0, 1.0
        for j in range(2, n - 1, 2):
            term *= (j - 1) / j * cos * cos
            total += term
        inside = sin * total
    return 1 - inside


def compare(a, b, cluster):
    d = [x - y for x, y in zip(a, b)]
    n = len(d)
    difference = math.fsum(d) / n
    spread = math.sqrt(math.fsum((x - difference) ** 2 for x in d) / (n - 1))
    groups = sorted(set(cluster)) if cluster else list(range(n))
    residuals = [math.fsum(x - difference for c, x in enumerate(d) if (cluster[c] if cluster else c) == g) for g in groups]
    error = math.sqrt(len(groups) / (len(groups) - 1) * math.fsum(r * r for r in residuals)) / n
    return {"difference": difference, "effectSize": difference / spread, "pT": t_two_sided(difference / error, len(groups) - 1)}


def comparisons():
    for n, clusters in [(2, None), (3, None), (11, None), (60, None), (24, 7), (30, 12)]:
        a = [rng.randrange(100) / 64 for _ in range(n)]
        b = [rng.randrange(90) / 64 for _ in range(n)]
        cluster = [rng.randrange(clusters) for _ in range(n)] if clusters else None
        if cluster:
            cluster[:clusters] = range(clusters)
        yield {"a": a, "b": b, "cluster": cluster, **compare(a, b, cluster)}


def holm(p):
    order = sorted(range(len(p)), key=lambda i: p[i])
    return [min(1.0, max((len(p) - j) * p[order[j]] for j in range(order.index(i) + 1))) for i in range(len(p))]


def benjamini_hochberg(p):
    order = sorted(range(len(p)), key=lambda i: p[i])
    return [min(1.0, min(len(p) * p[order[j]] / (j + 1) for j in range(order.index(i), len(p)))) for i in range(len(p))]


def corrections():
    for p in [[0.01], [0.04, 0.01, 0.03], [0.5, 0.5, 0.001, 1.0, 0.0], [rng.random() ** 3 for _ in range(12)]]:
        yield {"p": p, "holm": holm(p), "benjamini-hochberg": benjamini_hochberg(p)}


def rating_figures():
    for n in (1, 2, 50):
        truth = [rng.randint(1, 5) for _ in range(n)]
        predicted = [rng.randint(0, 48) / 8 for _ in range(n)]
        off = [p - t for p, t in zip(predicted, truth)]
        rmse = math.sqrt(math.fsum(e * e for e in off) / n)
        yield {"predictions": predicted, "truth": truth, "metrics": {"rmse": rmse, "mae": math.fsum(map(abs, off)) / n, "train-rmse": rmse}}
    truth = [rng.randint(0, 1) for _ in range(40)]
    predicted = [rng.randint(0, 16) / 16 for _ in truth]
    kept = [min(1 - 1e-15, max(1e-15, p)) for p in predicted]
    loss = math.fsum(-math.log(p) if t == 1 else -math.log(1 - p) for p, t in zip(kept, truth)) / len(truth)
    yield {"predictions": predicted, "truth": truth, "metrics": {"log-loss": loss}}


golden = {
    "provenance": f"Python {platform.python_version()}, standard library only: python3 test/evaluation/golden/make-golden.py",
    "studentT": [{"t": t, "degrees": n, "p": t_two_sided(t, n)} for n in (1, 2, 3, 4, 5, 10, 29, 100, 1001) for t in (0.0, 0.3, 1.0, 2.228, 4.5)],
    "comparisons": list(comparisons()),
    "corrections": list(corrections()),
    "ratings": list(rating_figures()),
    "worlds": list(worlds()),
}
pathlib.Path(__file__).with_name("golden.json").write_text(json.dumps(golden) + "\n", encoding="utf-8")
