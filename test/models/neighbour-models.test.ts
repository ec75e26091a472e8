/**
 * item-knn, user-knn, rp3beta and gf-cf against dense matrices written out from their formulas, in float64 and without the kernels,
 * and against small cases by hand. Scores are float32 of float64 sums over float32 weights: compared within 1e-5 of the largest.
 */
import { describe, expect, it } from "vitest";
import type { Csr, Interactions } from "../../src/core/interactions.js";
import type { HistoryEvent } from "../../src/core/model.js";
import { Interactions as InteractionsOf } from "../../src/data/interactions.js";
import { rightSingularVectors } from "../../src/models/parts/singular-vectors.js";
import { fit } from "../../src/models/registry.js";
import { fixture } from "../support/fixture.js";

type Matrix = number[][];

const matrix = (rows: number, columns: number, value: (r: number, c: number) => number): Matrix =>
  Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => value(r, c)));
const transposed = (a: Matrix): Matrix => matrix(a[0].length, a.length, (r, c) => a[c][r]);
const product = (a: Matrix, b: Matrix): Matrix =>
  matrix(a.length, b[0].length, (r, c) => a[r].reduce((sum, value, k) => sum + value * b[k][c], 0));
const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const ratio = (a: number, b: number) => (a > 0 ? a / b : 0);

/** Users × items of a CSR matrix, each value through `weigh`. */
function dense({ numRows, numColumns, offsets, indices, values }: Csr, weigh = (weight: number) => weight): Matrix {
  const out = matrix(numRows, numColumns, () => 0);
  for (let row = 0; row < numRows; row++) for (let e = offsets[row]; e < offsets[row + 1]; e++) out[row][indices[e]] = weigh(values[e]);
  return out;
}

async function scoresOf(name: string, data: Interactions, params: Record<string, unknown>): Promise<Matrix> {
  const { fitted } = await fit(name, data, params, { threads: 2 });
  const out = new Float32Array(data.numUsers * data.numItems);
  await fitted.scoreAll!(
    Array.from({ length: data.numUsers }, (_, userIndex) => ({ userIndex })),
    out,
  );
  return matrix(data.numUsers, data.numItems, (u, i) => out[u * data.numItems + i]);
}

function expectClose(got: Matrix, expected: Matrix, tolerance = 1e-5): void {
  const size = Math.max(...expected.flat().map(Math.abs));
  expect(size).toBeGreaterThan(0);
  for (const [r, row] of expected.entries())
    for (const [c, value] of row.entries()) expect(Math.abs(got[r][c] - value), `${r}, ${c}`).toBeLessThan(tolerance * size);
}

const data = fixture();
const counts = dense(data.matrixByUser());
const [binary, logs] = [dense(data.matrixByUser(), () => 1), dense(data.matrixByUser(), Math.log1p)];

/** Similarities of the rows of x by the formulas of the papers. */
const denseSimilarity: Record<string, (x: Matrix, shrinkage: number) => Matrix> = {
  cosine: (x, shrinkage) => {
    const dots = product(x, transposed(x));
    return matrix(x.length, x.length, (r, s) => ratio(dots[r][s], Math.sqrt(dots[r][r] * dots[s][s]) + shrinkage));
  },
  "tf-idf": (x, shrinkage) => {
    const idf = transposed(x).map((column) => 1 + Math.log((1 + x.length) / (1 + column.filter((value) => value > 0).length)));
    return denseSimilarity.cosine(
      x.map((row) => row.map((value, c) => value * idf[c])),
      shrinkage,
    );
  },
  bm25: (x) => {
    const lengths = x.map(sumOf);
    const mean = sumOf(lengths) / x.length;
    const y = x.map((row, r) =>
      row.map((value, c) => {
        const holders = x.filter((other) => other[c] > 0).length;
        const idf = Math.log(1 + (x.length - holders + 0.5) / (holders + 0.5));
        return (idf * value * 2.2) / (value + 1.2 * (0.25 + (0.75 * lengths[r]) / mean));
      }),
    );
    return product(y, transposed(y));
  },
  jaccard: (x, shrinkage) =>
    matrix(x.length, x.length, (r, s) => {
      const both = x[r].filter((value, c) => value > 0 && x[s][c] > 0).length;
      return ratio(both, x[r].filter(Boolean).length + x[s].filter(Boolean).length - both + shrinkage);
    }),
  conditional: (x, shrinkage) =>
    matrix(x.length, x.length, (r, s) => {
      const both = x[r].filter((value, c) => value > 0 && x[s][c] > 0).length;
      return ratio(both, x[r].filter(Boolean).length * x[s].filter(Boolean).length ** 0.5 + shrinkage);
    }),
};

/** Only the `count` largest of each row stay, and the diagonal. */
const nearest = (w: Matrix, count: number): Matrix =>
  w.map((row, r) => {
    const kept = row
      .map((_, s) => s)
      .filter((s) => s !== r)
      .sort((a, b) => row[b] - row[a] || a - b)
      .slice(0, count);
    return row.map((value, s) => (s === r || kept.includes(s) ? value : 0));
  });

describe("item-knn", () => {
  it.each(Object.keys(denseSimilarity))("%s: history times the similarities of the formula", async (similarity) => {
    const weighting = similarity === "jaccard" || similarity === "conditional" ? "binary" : "log";
    const x = weighting === "binary" ? binary : logs;
    const params = { similarity, weighting, shrinkage: 3, normalizeRows: false, neighbours: 100 };
    const w = denseSimilarity[similarity](transposed(x), 3);
    expectClose(await scoresOf("item-knn", data, params), product(x, w));
    const blank = w.map((row, r) => row.map((value, s) => (r === s ? 0 : value)));
    expectClose(await scoresOf("item-knn", data, { ...params, selfSimilarity: false }), product(x, blank));
  });

  it("keeps the nearest only, lets each row give the same, and counts an item's own weight beside", async () => {
    const w = nearest(denseSimilarity.cosine(transposed(binary), 0), 6);
    const rows = w.map((row, r) => row.map((value, s) => (r === s ? value : ratio(value, sumOf(row) - row[r]))));
    const params = { similarity: "cosine", weighting: "binary", shrinkage: 0, neighbours: 6, normalizeRows: true };
    expectClose(await scoresOf("item-knn", data, params), product(binary, rows));
  });

  it("by hand: two of three users of item 0 have item 1 too", async () => {
    const small = InteractionsOf.fromArrays({
      userIndex: [0, 0, 1, 1, 2, 3],
      itemIndex: [0, 1, 0, 1, 0, 2],
      timestamp: [1, 2, 1, 2, 1, 1],
    });
    const params = { similarity: "cosine", weighting: "binary", shrinkage: 1, normalizeRows: false };
    const w01 = 2 / (Math.sqrt(3 * 2) + 1);
    expectClose(await scoresOf("item-knn", small, params), [
      [3 / 4 + w01, w01 + 2 / 3, 0],
      [3 / 4 + w01, w01 + 2 / 3, 0],
      [3 / 4, w01, 0],
      [0, 0, 1 / 2],
    ]);
    // with decay the newer item 1 counts in full, item 0 half
    const [first] = await scoresOf("item-knn", small, { ...params, historyDecay: 0.5 });
    expectClose([first], [[(0.5 * 3) / 4 + w01, 0.5 * w01 + 2 / 3, 0]]);
    const { itemIndex, score } = await (await fit("item-knn", small, params)).similarItems(0);
    expect([[...itemIndex], [...score]]).toEqual([[1], [Math.fround(w01)]]);
  });

  it("takes a history in its order: the last event is the newest", async () => {
    const model = await fit("item-knn", data, { historyDecay: 0.3, weighting: "binary" });
    const ask = (items: number[]) => model.recommend({ history: items.map((itemIndex) => ({ itemIndex })) }, { excludeSeen: false });
    expect(await ask([3, 5, 9])).toEqual(await ask([9, 3, 5, 9]));
    expect(await ask([3, 5, 9])).not.toEqual(await ask([9, 5, 3]));
  });
});

describe("user-knn", () => {
  it.each(Object.keys(denseSimilarity))("%s: similarities of the formula times what the neighbours have", async (similarity) => {
    const weighting = similarity === "jaccard" || similarity === "conditional" ? "binary" : "log";
    const x = weighting === "binary" ? binary : logs;
    const params = { similarity, weighting, shrinkage: 3, neighbours: 100 };
    expectClose(await scoresOf("user-knn", data, params), product(denseSimilarity[similarity](x, 3), x));
  });

  it("only the nearest speak, and the asker is one of them", async () => {
    const w = nearest(denseSimilarity.cosine(logs, 0), 4);
    const params = { similarity: "cosine", weighting: "log", shrinkage: 0, neighbours: 5 };
    expectClose(await scoresOf("user-knn", data, params), product(w, logs));
    const { userIndex, score } = await (await fit("user-knn", data, params)).similarUsers(1);
    const expected = [...w[1].keys()].filter((v) => v !== 1 && w[1][v] > 0).sort((a, b) => w[1][b] - w[1][a]);
    expect([...userIndex]).toEqual(expected);
    expect(score[0]).toBeCloseTo(w[1][expected[0]], 6);
    const items = denseSimilarity.cosine(transposed(logs), 0)[2];
    const similar = await (await fit("user-knn", data, params)).similarItems(2, { topK: 5 });
    const nearestItems = [...items.keys()].filter((i) => i !== 2).sort((a, b) => items[b] - items[a]);
    expect([...similar.itemIndex]).toEqual(nearestItems.slice(0, 5));
  });
});

describe("rp3beta", () => {
  it("is the probability of the walk user → item → user → item over popularity", async () => {
    const byItem = transposed(counts);
    const fromUser = counts.map((row) => row.map((value) => ratio(value, sumOf(row))));
    const fromItem = byItem.map((row) => row.map((value) => ratio(value, sumOf(row))));
    const params = { alpha: 1, beta: 0, weighting: "linear", neighbours: 100, normalizeRows: false };
    const walk = product(product(fromUser, fromItem), fromUser);
    expectClose(await scoresOf("rp3beta", data, params), walk);
    walk.forEach((row, u) => {
      if (sumOf(counts[u]) > 0) expect(sumOf(row)).toBeCloseTo(1, 9); // it ends somewhere
    });
    const power = (a: Matrix) => a.map((row) => row.map((value) => value ** 0.6));
    const largest = Math.max(...counts.flat());
    const held = product(product(power(fromUser), power(fromItem)), power(fromUser)).map((row) =>
      row.map((value, i) => ratio(value, (sumOf(byItem[i]) / largest) ** 0.7)),
    );
    expectClose(await scoresOf("rp3beta", data, { ...params, alpha: 0.6, beta: 0.7 }), held);
  });
});

describe("gf-cf", () => {
  const degrees = { user: logs.map(sumOf), item: transposed(logs).map(sumOf) };
  const filtered = matrix(data.numUsers, data.numItems, (u, i) => ratio(logs[u][i], Math.sqrt(degrees.user[u] * degrees.item[i])));
  const gram = product(transposed(filtered), filtered);

  /** V Vᵀ of the leading eigenvectors by power iteration with deflation. */
  function projector(count: number): Matrix {
    const left = gram.map((row) => [...row]);
    const out = matrix(data.numItems, data.numItems, () => 0);
    for (let k = 0; k < count; k++) {
      let v = left.map((_, i) => Math.sin(i + k + 1));
      for (let round = 0; round < 6000; round++) {
        const next = left.map((row) => row.reduce((sum, value, i) => sum + value * v[i], 0));
        const norm = Math.hypot(...next);
        v = next.map((value) => value / norm);
      }
      const value = sumOf(left.map((row, r) => v[r] * row.reduce((sum, cell, c) => sum + cell * v[c], 0)));
      for (const [r, row] of left.entries())
        for (let c = 0; c < row.length; c++) {
          row[c] -= value * v[r] * v[c];
          out[r][c] += v[r] * v[c];
        }
    }
    return out;
  }

  it("is the linear filter plus the ideal low-pass filter of the formula", async () => {
    const low = projector(4);
    const ideal = matrix(data.numItems, data.numItems, (j, i) =>
      degrees.item[j] > 0 ? low[j][i] * Math.sqrt(degrees.item[i] / degrees.item[j]) : 0,
    );
    const w = matrix(data.numItems, data.numItems, (j, i) => gram[j][i] + 0.7 * ideal[j][i]);
    expectClose(await scoresOf("gf-cf", data, { alpha: 0.7, factors: 4, iterations: 60, weighting: "log" }), product(logs, w), 1e-4);
  });
});

it("gives zero vectors beyond the rank, orthonormal ones within", async () => {
  const low: Csr = {
    numRows: 3,
    numColumns: 4,
    offsets: Int32Array.of(0, 2, 4, 5),
    indices: Int32Array.of(0, 1, 0, 1, 3),
    values: Float32Array.of(1, 2, 2, 4, 3),
  };
  const vectors = await rightSingularVectors(low, { count: 3, rounds: 20, seed: 1, pace: async () => {} });
  const column = (k: number) => Array.from({ length: 4 }, (_, c) => Math.abs(vectors[c * 3 + k]));
  [1 / Math.sqrt(5), 2 / Math.sqrt(5), 0, 0].forEach((value, c) => {
    expect(column(0)[c]).toBeCloseTo(value, 9);
  });
  [0, 0, 0, 1].forEach((value, c) => {
    expect(column(1)[c]).toBeCloseTo(value, 9);
  });
  expect(column(2)).toEqual([0, 0, 0, 0]);
});

it.each([
  ["item-knn", {}],
  ["item-knn", { similarity: "bm25", weighting: "linear" }],
  ["user-knn", {}],
  ["user-knn", { similarity: "bm25", weighting: "linear", neighbours: 4 }],
  ["user-knn", { similarity: "jaccard", shrinkage: 2 }],
  ["rp3beta", {}],
  ["gf-cf", {}],
])("%s %j scores a history equal to a training row to the same bits", async (name, params) => {
  const model = await fit(name, data, params);
  const { offsets, indices, values } = data.matrixByUser();
  for (const userIndex of [0, 3, 11]) {
    const history: HistoryEvent[] = Array.from({ length: offsets[userIndex + 1] - offsets[userIndex] }, (_, k) => ({
      itemIndex: indices[offsets[userIndex] + k],
      weight: values[offsets[userIndex] + k],
    }));
    const options = { topK: data.numItems, excludeSeen: false };
    expect(await model.recommend({ history: history.reverse() }, options)).toEqual(await model.recommend({ userIndex }, options));
  }
});
