/** Recurrent layers: gradients against central differences, values against the plain formulas, going on from a state. */
import { describe, expect, it } from "vitest";
import { gru, lstm, type RecurrentWeights } from "../../src/nn/ops/recurrent.js";
import { createSession } from "../../src/nn/session.js";
import { createGraph, type Graph, input, type Tensor } from "../../src/nn/tensor.js";
import { expectError } from "../support/errors.js";
import { gradientError } from "./gradient-check.js";

const [WIDTH, UNITS, BATCH, LENGTH] = [3, 2, 2, 4];
const layers = { lstm: { layer: lstm, gates: 4 }, gru: { layer: gru, gates: 3 } };

function weightsOf(graph: Graph, gates: number): RecurrentWeights {
  return {
    input: input(graph, "input", [WIDTH, gates * UNITS]),
    recurrent: input(graph, "recurrent", [UNITS, gates * UNITS]),
    bias: input(graph, "bias", [gates * UNITS]),
    ...(gates === 3 ? { candidateBias: input(graph, "candidateBias", [UNITS]) } : {}),
  };
}

const values = (size: number, seed: number) => Float64Array.from({ length: size }, (_, k) => Math.sin(1 + k * 1.7 + seed));

function feedsOf(tensors: Record<string, Tensor>): Record<string, Float64Array> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape }], k) => [
      name,
      values(
        (shape as number[]).reduce((a, b) => a * b, 1),
        k,
      ),
    ]),
  );
}

for (const [name, { layer, gates }] of Object.entries(layers)) {
  describe(name, () => {
    for (const length of [1, LENGTH]) {
      it(`has the gradients that central differences show (${length} steps)`, async () => {
        const graph = createGraph();
        const x = input(graph, "x", [length * BATCH, WIDTH]);
        const weights = weightsOf(graph, gates);
        const { output } = layer(x, weights, { length });
        const of = length === 1 ? [x, weights.input, weights.bias] : [x, ...Object.values(weights)];
        expect(await gradientError(output, of)).toBeLessThan(1e-6);
      });
    }

    it("goes on from a state as if it had read all at once", async () => {
      const graph = createGraph();
      const weights = weightsOf(graph, gates);
      const [head, tail] = [input(graph, "head", [BATCH, WIDTH]), input(graph, "tail", [(LENGTH - 1) * BATCH, WIDTH])];
      const all = input(graph, "all", [LENGTH * BATCH, WIDTH]);
      const first = layer(head, weights, { length: 1 });
      const rest = layer(tail, weights, { length: LENGTH - 1, state: first.state });
      const session = await createSession({ rest: rest.output, whole: layer(all, weights, { length: LENGTH }).output }, { float64: true });
      const feeds = feedsOf({ ...weights, all } as unknown as Record<string, Tensor>);
      await session.run({ ...feeds, head: feeds.all.slice(0, BATCH * WIDTH), tail: feeds.all.slice(BATCH * WIDTH) });
      const whole = session.outputs.whole.subarray(BATCH * UNITS);
      session.outputs.rest.forEach((value, k) => {
        expect(value).toBeCloseTo(whole[k], 12);
      });
    });

    it("names shapes that do not fit", async () => {
      const graph = createGraph();
      const weights = weightsOf(graph, gates);
      await expectError(() => layer(input(graph, "a", [5, WIDTH]), weights, { length: 2 }), "E_CONFIG", /5 × 3/);
      await expectError(() => layer(input(graph, "b", [4, WIDTH + 1]), weights, { length: 2 }), "E_CONFIG", /4 × 4/);
    });
  });
}

describe("values of two steps", () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const x = [0.5, -1];
  const one = (graph: Graph, name: string, size: number) => input(graph, name, [1, size]);

  it("lstm, one unit", async () => {
    const graph = createGraph();
    const bias = input(graph, "bias", [4]);
    const { output } = lstm(
      input(graph, "x", [2, 1]),
      { input: one(graph, "input", 4), recurrent: one(graph, "recurrent", 4), bias },
      { length: 2 },
    );
    const session = await createSession({ output }, { float64: true });
    const [w, u, b] = [
      [0.3, -0.2, 0.7, 1.1],
      [0.4, 0.9, -0.6, 0.8],
      [0.1, 0.2, -0.1, 0.05],
    ];
    const feeds = { x, input: w, recurrent: u, bias: b };
    await session.run(Object.fromEntries(Object.entries(feeds).map(([name, list]) => [name, Float64Array.from(list)])));
    let [h, c] = [0, 0];
    for (const [t, own] of x.entries()) {
      const [i, f, o, g] = w.map((weight, k) => own * weight + h * u[k] + b[k]);
      c = sigmoid(f) * c + sigmoid(i) * Math.tanh(g);
      h = sigmoid(o) * Math.tanh(c);
      expect(session.outputs.output[t]).toBeCloseTo(h, 12);
    }
  });

  it("gru, one unit", async () => {
    const graph = createGraph();
    const [bias, candidateBias] = [input(graph, "bias", [3]), input(graph, "candidateBias", [1])];
    const { output } = gru(
      input(graph, "x", [2, 1]),
      { input: one(graph, "input", 3), recurrent: one(graph, "recurrent", 3), bias, candidateBias },
      { length: 2 },
    );
    const session = await createSession({ output }, { float64: true });
    const [w, u, b, d] = [[0.3, -0.2, 1.1], [0.4, 0.9, 0.8], [0.1, 0.2, 0.05], [0.6]];
    const feeds = { x, input: w, recurrent: u, bias: b, candidateBias: d };
    await session.run(Object.fromEntries(Object.entries(feeds).map(([name, list]) => [name, Float64Array.from(list)])));
    let h = 0;
    for (const [t, own] of x.entries()) {
      const [r, z] = [0, 1].map((k) => sigmoid(own * w[k] + h * u[k] + b[k]));
      const n = Math.tanh(own * w[2] + b[2] + r * (h * u[2] + d[0]));
      h = (1 - z) * n + z * h;
      expect(session.outputs.output[t]).toBeCloseTo(h, 12);
    }
  });
});
