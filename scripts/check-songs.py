"""Compares a table made by `tastemaker songs` with numpy's means and covariances of the same HDF5 files.

    python scripts/check-songs.py FOLDER TABLE.csv        needs numpy and h5py
"""

import csv
import sys
from pathlib import Path

import h5py
import numpy as np

folder, table = sys.argv[1:3]
largest = 0.0
with open(table, newline="", encoding="utf-8") as file:
    rows = list(csv.reader(file))[1:]
for name, song_id, *rest in rows:
    with h5py.File(Path(folder) / name) as song:
        timbre = song["analysis/segments_timbre"][:]
        assert song["metadata/songs"]["song_id"][0].decode() == song_id, name
    expected = np.concatenate([timbre.mean(axis=0), np.cov(timbre.T)[np.tril_indices(12)]])
    found = np.array(rest[3:], dtype=float)
    largest = max(largest, float(np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected)))))
print(f"{len(rows)} songs, largest difference {largest:.2g} (relative above 1)")
sys.exit(0 if rows and largest <= 1e-6 else 1)
