/**
 * bpr, warp and logistic-mf: they learn planted tastes, fold in, resume, warm-start, and notice divergence.
 */
import { describe, expect, it } from "vitest";
import type { FitContext, FitStep, ModelState } from "../../src/core/model.js";
import { Interactions } from "../../src/data/interactions.js";
import { split } from "../../src/data/splits.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { fit, refit } from "../../src/models/registry.js";
import type { Recommender } from "../../src/ranking/recommender.js";
import { expectError } from "../support/errors.js";
import { tastes } from "../support/tastes.js";

const models = [
  { name: "bpr", params: { factors: 16, epochs: 40 } },
  { name: "warp", params: { factors: 16, epochs: 20 } },
  { name: "logistic-mf", params: { factors: 16, epochs: 20 } },
  { name: "logistic-mf", params: { factors: 16, epochs: 20, optimizer: "adam", learningRate: 0.01 } },
];

const bytesOf = (model: Recommender) =>
  Object.fromEntries(Object.entries(model.fitted.state().arrays).map(([key, { data }]) => [key, [...data]]));

describe.each(models)("$name $params", ({ name, params }) => {
  const data = tastes();
  const { train, test } = split(data, { by: "random-per-user", testFraction: 0.25, seed: 1 });

  it("learns: the loss falls, and held-out items rank far above popularity", async () => {
    const model = await fit(name, train, params, { seed: 3 });
    const losses = model.fitted.losses!;
    expect(losses.length).toBe(params.epochs);
    expect(losses[losses.length - 1]).toBeLessThan(0.8 * losses[0]);
    const options = { metrics: ["ndcg@10"], excludeSeen: true };
    const { "ndcg@10": ours } = await evaluate(model, train, test, options);
    const { "ndcg@10": popular } = await evaluate(await fit("popularity", train), train, test, options);
    expect(ours).toBeGreaterThan(1.5 * popular);
  });

  it("folds in a history near the row that training gave its user", async () => {
    const { fitted } = await fit(name, train, params, { seed: 3 });
    const { offsets, indices } = train.eventsByUser();
    const { dimensions, itemVectors } = fitted.vectors!;
    let agreement = 0;
    for (let userIndex = 0; userIndex < 20; userIndex++) {
      const history = Array.from(indices.subarray(offsets[userIndex], offsets[userIndex + 1]), (itemIndex) => ({ itemIndex }));
      const vectors = new Float32Array(2 * dimensions);
      await fitted.vectors!.encode([{ userIndex }, { history }], vectors);
      const [known, folded] = [0, dimensions].map((at) => scores(vectors.subarray(at, at + dimensions), itemVectors));
      agreement += correlation(known, folded) / 20;
      const reversed = new Float32Array(dimensions);
      await fitted.vectors!.encode([{ history: history.toReversed() }], reversed);
      expect(reversed).toEqual(vectors.slice(dimensions)); // the order of events does not count
    }
    expect(agreement).toBeGreaterThan(0.9);
  });

  it("goes on from a checkpoint to the same bytes, and stops when told", async () => {
    const saved: { step: number; state: ModelState }[] = [];
    const steps: FitStep[] = [];
    const whole = await fit(name, train, params, {
      seed: 3,
      threads: 2,
      checkpoint: {
        async save(step, state) {
          if (step % 7 === 0) saved.push({ step, state: structuredClone(state()) });
        },
      },
      async onStep(step) {
        steps.push(step);
        return "continue";
      },
    } satisfies Partial<FitContext>);
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: params.epochs }, (_, k) => k + 1));
    const resumed = await fit(name, train, params, { seed: 3, threads: 1, checkpoint: { resumeFrom: saved[1], save: async () => {} } });
    expect(bytesOf(resumed)).toEqual(bytesOf(whole));
    expect(resumed.fitted.losses).toEqual(whole.fitted.losses);
    const early = await fit(name, train, params, { seed: 3, onStep: async ({ step }) => (step === 2 ? "stop" : "continue") });
    expect(early.fitted.losses).toEqual(whole.fitted.losses!.slice(0, 2));
  });

  it("takes in new users, items and events from where it is", async () => {
    const old = await fit(name, train, params, { seed: 3 });
    const before = bytesOf(old);
    const more = Interactions.fromArrays({
      userIndex: [...train.userIndex, 240, 240, 240, 240, 4, 8, 12],
      itemIndex: [...train.itemIndex, 0, 4, 8, 200, 200, 200, 200],
      numUsers: 241,
      numItems: 201,
    });
    const now = await refit(old, more, { seed: 3 });
    expect(bytesOf(old)).toEqual(before);
    expect(now.fitted.losses!.length).toBe(params.epochs / 4);
    const { itemIndex } = await now.recommend({ userIndex: 240 }, { topK: 10 });
    expect([...itemIndex].filter((item) => item % 4 === 0).length).toBeGreaterThan(7);
    const widened = Interactions.fromArrays({ userIndex: test.userIndex, itemIndex: test.itemIndex, numUsers: 241, numItems: 201 });
    const { "ndcg@10": ndcg } = await evaluate(now, more, widened, { metrics: ["ndcg@10"], excludeSeen: true });
    const { "ndcg@10": was } = await evaluate(old, train, test, { metrics: ["ndcg@10"], excludeSeen: true });
    expect(ndcg).toBeGreaterThan(0.9 * was);
  });

  it("notices that it diverges", async () => {
    await expectError(fit(name, train, { ...params, learningRate: 10, regularization: 0 }), "E_TRAINING", /diverged in epoch/);
  });

  it("can be aborted in any epoch", async () => {
    const controller = new AbortController();
    const onProgress = ({ done }: { done: number }) => {
      if (done === 3) controller.abort();
    };
    await expectError(fit(name, train, params, { signal: controller.signal, onProgress }), "E_CANCELLED");
  });

  it("knows similar items and users by taste", async () => {
    const model = await fit(name, train, params, { seed: 3 });
    const items = await model.similarItems(4, { topK: 10 });
    expect([...items.itemIndex].filter((item) => item % 4 === 0).length).toBeGreaterThan(7);
    const users = await model.similarUsers(8, { topK: 10 });
    expect([...users.userIndex].filter((user) => user % 4 === 0).length).toBeGreaterThan(7);
  });
});

describe("bpr", () => {
  it("gives items without events the lowest bias, users without events the biases alone", async () => {
    const data = Interactions.fromArrays({ userIndex: [0, 0, 1], itemIndex: [0, 1, 0], numUsers: 3, numItems: 4 });
    const { fitted } = await fit("bpr", data, { factors: 2, epochs: 5 });
    const items = fitted.vectors!.itemVectors;
    for (const item of [2, 3]) expect([...items.subarray(item * 3, item * 3 + 2)]).toEqual([0, 0]);
    expect(items[2 * 3 + 2]).toBeLessThanOrEqual(Math.min(items[2], items[5]));
    const user = new Float32Array(3);
    await fitted.vectors!.encode([{ userIndex: 2 }], user);
    expect([...user]).toEqual([0, 0, 1]);
  });

  it("draws popular negatives so that biases say little of popularity", async () => {
    const data = tastes();
    const spread = async (negatives: string) => {
      const { fitted } = await fit("bpr", data, { factors: 8, epochs: 30, negatives });
      const biases = Array.from({ length: data.numItems }, (_, item) => fitted.vectors!.itemVectors[item * 9 + 8]);
      return Math.max(...biases) - Math.min(...biases);
    };
    expect(await spread("popularity")).toBeLessThan(0.6 * (await spread("uniform")));
  });
});

function scores(user: Float32Array, items: Float32Array): number[] {
  return Array.from({ length: items.length / user.length }, (_, item) =>
    user.reduce((sum, value, k) => sum + value * items[item * user.length + k], 0),
  );
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const covariance = (x: readonly number[], y: readonly number[], mx: number, my: number) =>
    mean(x.map((value, k) => (value - mx) * (y[k] - my)));
  return covariance(a, b, meanA, meanB) / Math.sqrt(covariance(a, a, meanA, meanA) * covariance(b, b, meanB, meanB));
}
