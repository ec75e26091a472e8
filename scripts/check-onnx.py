"""Scores an exported file with Python's onnxruntime and compares with the answers of the command line (see check-onnx.mjs).

Reads one JSON document from stdin: {"file", "cases": [{"feeds": {name: nested list}, "items"?: [index], "scores": [number]}]}.
"""
import json
import sys

import numpy as np
import onnxruntime

work = json.load(sys.stdin)
session = onnxruntime.InferenceSession(work["file"], providers=["CPUExecutionProvider"])
worst = 0.0
for case in work["cases"]:
    feeds = {name: np.array(values, dtype=np.int64) for name, values in case["feeds"].items()}
    if "items" in case:
        items, lists = session.run(["topItems", "topScores"], feeds)
        scores = lists[0]
        if items[0].tolist() != case["items"]:
            sys.exit(f"other items: {items[0].tolist()}, expected {case['items']}")
    else:
        (scores,) = session.run(["scores"], feeds)
    worst = max(worst, float(np.abs(scores - np.array(case["scores"])).max() / np.abs(scores).max()))
if worst > 1e-4:
    sys.exit(f"other scores: relative difference {worst}")
meta = session.get_modelmeta()
print(json.dumps({"model": meta.custom_metadata_map["model"], "described": bool(meta.description), "cases": len(work["cases"]), "largestDifference": worst}))
