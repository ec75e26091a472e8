/**
 * Side features of als: what they do for cold users and items, that the objective still falls, that B is the ridge regression of the
 * header of als-priors.ts, and that saving, resuming and refitting keep them.
 */
import { describe, expect, it } from "vitest";
import type { Features } from "../../src/core/features.js";
import type { ModelState } from "../../src/core/model.js";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { featureMatrix } from "../../src/models/parts/feature-matrix.js";
import { fit, refit, restoreRecommender } from "../../src/models/registry.js";
import type { Recommender } from "../../src/ranking/recommender.js";
import { expectError } from "../support/errors.js";

const [numUsers, numItems, factors] = [40, 30, 6];
/** Two tastes: users and items of equal parity belong together; the last four of each have no events. */
const data = (() => {
  const random = createRandom(4);
  const pairs = Array.from({ length: 700 }, () => ({ user: random.integer(numUsers - 4), item: random.integer(numItems - 4) }));
  const kept = pairs.filter(({ user, item }) => (user + item) % 2 === 0 || random.uniform() < 0.1);
  return Interactions.fromArrays({ userIndex: kept.map((p) => p.user), itemIndex: kept.map((p) => p.item), numUsers, numItems });
})();
const parity = (numRows: number): Features => ({
  numRows,
  columns: {
    taste: {
      kind: "category",
      values: Array.from({ length: numRows }, (_, row) => (row === numRows - 1 ? null : row % 2 ? "odd" : "even")),
    },
    noise: { kind: "number", values: Float64Array.from({ length: numRows }, (_, row) => (row % 5 === 0 ? Number.NaN : Math.sin(row))) },
    title: { kind: "text", values: Array.from({ length: numRows }, () => "left out") },
  },
});
const context = { userFeatures: parity(numUsers), itemFeatures: parity(numItems), seed: 3 };
const params = { factors, iterations: 30 };

const parityShare = ({ itemIndex }: { itemIndex: Int32Array }, odd: number) =>
  [...itemIndex].filter((item) => item % 2 === odd).length / itemIndex.length;

describe("als with side features", () => {
  it("recommends to cold users, and recommends cold items, by what they are", async () => {
    const model = await fit("als", data, params, context);
    for (const userIndex of [numUsers - 4, numUsers - 3]) {
      const list = await model.recommend({ userIndex }, { topK: 8 });
      expect(list.source).toBe("als");
      expect(parityShare(list, userIndex % 2)).toBe(1);
    }
    expect((await model.recommend({ userIndex: numUsers - 1 })).source).toBe("als"); // knows its number, not its category
    const cold = await model.recommend({ userIndex: 2 }, { include: [numItems - 4, numItems - 3], topK: 2 });
    expect([...cold.itemIndex]).toEqual([numItems - 4, numItems - 3]);
    expect(cold.score[0]).toBeGreaterThan(cold.score[1] + 0.1);
    const byColdItem = await model.recommend({ history: [{ itemIndex: numItems - 3 }] }, { topK: 8 });
    expect(byColdItem.source).toBe("als");
    expect(parityShare(byColdItem, (numItems - 3) % 2)).toBe(1);
    const without = await fit("als", data, params);
    expect((await without.recommend({ userIndex: numUsers - 4 })).source).toBe("popularity fallback");
  });

  it("lets the objective fall in every exact sweep", async () => {
    for (const more of [{}, { regularization: 0.5, regularizationExponent: 0.5 }, { target: "value", featureRegularization: 0.1 }]) {
      const { losses } = (await fit("als", data, { ...params, solver: "cholesky", ...more }, context)).fitted;
      for (let k = 1; k < losses!.length; k++) expect(losses![k]).toBeLessThanOrEqual(losses![k - 1] * (1 + 1e-6));
    }
  });

  it("takes as embeddings the ridge regression of the vectors on the features", async () => {
    const featureRegularization = 3;
    const model = await fit("als", data, { ...params, regularization: 2, regularizationExponent: 0.5, featureRegularization }, context);
    const f = featureMatrix(context.userFeatures, numUsers, "users");
    const { offsets } = data.matrixByUser();
    const { user_factors: x, user_priors: prior } = model.fitted.state().arrays;
    // at the minimum, with m = Bᵀf: Σ_u λ_u/λ · f_u (x_u − m_u)ᵀ = featureRegularization · B, hence λ-weighted residuals lie in F's span
    const residual = (u: number, d: number) => x.data[u * factors + d] - prior.data[u * factors + d];
    for (let d = 0; d < factors; d++) {
      const b = new Float64Array(f.numColumns);
      for (let u = 0; u < numUsers; u++) {
        const count = offsets[u + 1] - offsets[u];
        for (let e = f.offsets[u]; count > 0 && e < f.offsets[u + 1]; e++)
          b[f.indices[e]] += (f.values[e] * Math.sqrt(count + numItems) * residual(u, d)) / featureRegularization;
      }
      for (let u = 0; u < numUsers; u++) {
        let m = 0;
        for (let e = f.offsets[u]; e < f.offsets[u + 1]; e++) m += f.values[e] * b[f.indices[e]];
        expect(prior.data[u * factors + d]).toBeCloseTo(m, 4);
      }
    }
  });

  it("folds a known user's history in like the trained row, with the user's prior", async () => {
    const model = await fit("als", data, { ...params, iterations: 200, solver: "cholesky" }, context);
    const { offsets, indices, values } = data.matrixByUser();
    const history = Array.from(indices.subarray(offsets[6], offsets[7]), (itemIndex, e) => ({ itemIndex, weight: values[offsets[6] + e] }));
    const [trained, folded] = [new Float32Array(factors), new Float32Array(factors)];
    await model.fitted.vectors!.encode([{ userIndex: 6 }], trained);
    await model.fitted.vectors!.encode([{ userIndex: 6, history }], folded);
    for (let d = 0; d < factors; d++) expect(Math.abs(folded[d] - trained[d])).toBeLessThan(2e-3);
    const why = await model.fitted.explain!({ userIndex: 6 }, 1);
    expect(Math.abs(why.base)).toBeGreaterThan(1e-6); // the prior's part
    expect(why.contribution.reduce((sum, value) => sum + value, why.base)).toBeCloseTo(why.score, 5);
    const cold = await model.fitted.explain!({ userIndex: numUsers - 4 }, 1);
    expect([cold.base, cold.itemIndex.length]).toEqual([cold.score, 0]);
  });

  it("is saved and restored, resumed and refitted with its features", async () => {
    const model = await fit("als", data, params, context);
    const { fitted: saved, seen, popularity, users, items } = model;
    const parts = { seen, popularity, users, items, name: "als", params: { ...saved.params } };
    const again = restoreRecommender({ ...parts, state: structuredClone(saved.state()) });
    const answers = async (of: Recommender) =>
      Promise.all([{ userIndex: 5 }, { userIndex: numUsers - 4 }, { history: [{ itemIndex: numItems - 3 }] }].map((q) => of.recommend(q)));
    expect(await answers(again)).toEqual(await answers(model));

    let half: { step: number; state: ModelState } | undefined;
    const save = async (step: number, state: () => ModelState) => {
      if (step === 11) half = { step, state: structuredClone(state()) };
    };
    await fit("als", data, params, { ...context, checkpoint: { save } });
    const resumed = await fit("als", data, params, { ...context, checkpoint: { resumeFrom: half, save } });
    expect(resumed.fitted.state()).toEqual(saved.state());

    const refitted = await refit(again, data, context);
    expect(refitted.fitted.losses!.at(-1)! / saved.losses!.at(-1)!).toBeCloseTo(1, 2);
    await expectError(refit(model, data), "E_CONFIG", /with user features/);
  });

  it("takes vectors, stays finite without regularization, and refuses features that do not fit", async () => {
    const values = Float32Array.from({ length: numItems * 2 }, (_, k) => (k % 7 === 0 ? Number.NaN : Math.floor(k / 2) % 2));
    const itemFeatures: Features = { numRows: numItems, columns: { picture: { kind: "vector", dimensions: 2, values } } };
    for (const regularization of [0, 3]) {
      const model = await fit("als", data, { ...params, regularization, featureRegularization: 0 }, { itemFeatures });
      expect(model.fitted.vectors!.itemVectors.every(Number.isFinite)).toBe(true);
    }
    await expectError(fit("als", data, params, { itemFeatures: parity(7) }), "E_DATA", /7 rows, but there are 30 items/);
    const wide: Features = { numRows: 30, columns: { w: { kind: "vector", dimensions: 3000, values: new Float32Array(90_000) } } };
    await expectError(fit("als", data, params, { itemFeatures: wide }), "E_DATA", /3001 columns/);
  });
});
