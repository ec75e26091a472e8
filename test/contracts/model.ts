/**
 * The behaviours that every registered model must show. `describeModel` runs them on small data;
 * a definition's `skips` are printed with their reasons.
 */
import { describe, expect, it } from "vitest";
import type { Interactions } from "../../src/core/interactions.js";
import type { ModelDefinition, Query } from "../../src/core/model.js";
import { Interactions as InteractionsOf } from "../../src/data/interactions.js";
import { fit, restoreRecommender } from "../../src/models/registry.js";
import type { Recommender } from "../../src/ranking/recommender.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";
import { featuresFor } from "../support/item-features.js";
import { bytesOf, routeChecks } from "./model-routes.js";

const options = { seed: 7, threads: 2 };

export function describeModel(definition: ModelDefinition, params: Record<string, unknown> = {}): void {
  const { name } = definition;
  const skips = new Map((definition.skips ?? []).map(({ check, reason }) => [check, reason]));
  const check = (title: string, body: () => Promise<void>) => {
    const reason = skips.get(title);
    if (reason) it.skip(`${title} (skipped: ${reason})`, body);
    else it(title, body);
  };
  const data = fixture();
  const fitted = (train: Interactions = data, more = {}) =>
    fit(name, train, params, { ...options, ...featuresFor(definition, train), ...more });

  describe(`${name} ${JSON.stringify(params)}`, () => {
    check("documents every parameter", async () => {
      expect(Object.keys(definition.help).sort()).toEqual(Object.keys((definition.params as unknown as { shape: object }).shape).sort());
      expect(definition.description.length * definition.reference.length * definition.title.length).toBeGreaterThan(0);
    });

    check("sorts scores, breaks ties by index, gives finite numbers", async () => {
      const model = await fitted();
      for (let userIndex = 0; userIndex < data.numUsers; userIndex++) {
        const { itemIndex, score } = await model.recommend({ userIndex }, { topK: data.numItems, excludeSeen: false });
        expect(itemIndex.length).toBe(data.numItems);
        expect(new Set(itemIndex).size).toBe(data.numItems);
        for (let r = 0; r < score.length; r++) {
          expect(Number.isFinite(score[r])).toBe(true);
          if (r > 0) expect(score[r - 1] > score[r] || (score[r - 1] === score[r] && itemIndex[r - 1] < itemIndex[r])).toBe(true);
        }
      }
    });

    check("leaves out seen, excluded and not included items", async () => {
      const model = await fitted();
      const { offsets, indices } = data.matrixByUser();
      const all = await model.recommend({ userIndex: 3 }, { topK: data.numItems });
      const seen = [...indices.subarray(offsets[3], offsets[4])];
      expect([...all.itemIndex].filter((item) => seen.includes(item))).toEqual([]);
      expect(all.itemIndex.length).toBe(data.numItems - seen.length);
      const some = [...all.itemIndex.slice(0, 5)];
      const rest = await model.recommend({ userIndex: 3 }, { topK: 5, exclude: some });
      expect([...rest.itemIndex]).toEqual([...all.itemIndex.slice(5, 10)]);
      const only = await model.recommend({ userIndex: 3 }, { topK: 5, include: [...some.slice().reverse(), seen[0]] });
      expect([...only.itemIndex]).toEqual(some);
      expect((await model.recommend({ userIndex: 3 }, { topK: 5, include: [] })).itemIndex.length).toBe(0);
    });

    check("answers a batch as it answers each query", async () => {
      const model = await fitted();
      const queries: Query[] = [
        { userIndex: 4 },
        {},
        { history: [{ itemIndex: 2 }, { itemIndex: 9, weight: 2 }] },
        { userIndex: -1 },
        { userIndex: 0 },
      ];
      const batch = await model.recommendBatch(queries, { topK: 6 });
      for (let q = 0; q < queries.length; q++) {
        const single = await model.recommend(queries[q], { topK: 6 });
        expect([...batch.itemIndex.subarray(q * 6, q * 6 + 6)]).toEqual([...single.itemIndex]);
        single.score.forEach((score, r) => {
          expect(batch.score[q * 6 + r]).toBeCloseTo(score, 5);
        });
      }
      const empty = await model.recommendBatch([], { topK: 6 });
      expect(empty.itemIndex.length).toBe(0);
      const users = await model.recommendBatch(Int32Array.of(4, 0), { topK: 6 });
      expect([...users.itemIndex.subarray(0, 6)]).toEqual([...batch.itemIndex.subarray(0, 6)]);
    });

    check("labels the popularity fallback for unknown users and users without events", async () => {
      const model = await fitted();
      const counts = new Map<number, number>();
      for (const item of data.itemIndex) counts.set(item, (counts.get(item) ?? 0) + 1);
      const popular = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 5);
      for (const query of [
        {},
        { userIndex: -1 },
        { userIndex: data.numUsers - 1 },
        { history: [] },
        { history: [{ itemIndex: data.numItems - 1 }] },
      ]) {
        const { itemIndex, source } = await model.recommend(query, { topK: 5 });
        if (!model.fitted.personal) {
          expect(source).toBe(name);
          continue;
        }
        expect(source).toBe("popularity fallback");
        expect([...itemIndex]).toEqual(popular.map(([item]) => item));
      }
      expect((await model.recommend({ userIndex: 2 })).source).toBe(name);
    });

    check("refuses wrong queries and options", async () => {
      const model = await fitted();
      await expectError(model.recommend({ userIndex: data.numUsers }), "E_CONFIG", /userIndex/);
      await expectError(model.recommend({ history: [{ itemIndex: -1 }] }), "E_CONFIG", /history/);
      await expectError(model.recommend({ history: [{ itemIndex: 1, weight: Number.NaN }] }), "E_CONFIG", /weight/);
      await expectError(model.recommend({ history: [{ itemIndex: 1, weight: 1e300 }] }), "E_CONFIG", /weight/);
      await expectError(model.recommend({ userIndex: 1 }, { topK: 0 }), "E_CONFIG", /topK/);
      await expectError(model.recommend({ userIndex: 1 }, { include: [data.numItems] }), "E_CONFIG", /include/);
      await expectError(fit(name, data, { ...params, nonsense: 1 }, options), "E_CONFIG", /nonsense/);
    });

    check("gives the same bytes for the same seed, whatever the thread count", async () => {
      const one = bytesOf(await fitted());
      expect(bytesOf(await fitted())).toEqual(one);
      expect(bytesOf(await fitted(data, { threads: 1 }))).toEqual(one);
    });

    check("gives bit-equal scores after saving and restoring", async () => {
      const model = await fitted();
      const { fitted: saved, seen, popularity, users, items } = model;
      const again = restoreRecommender({
        name,
        params: { ...saved.params },
        state: structuredClone(saved.state()),
        seen,
        popularity,
        users,
        items,
      });
      for (const query of [{ userIndex: 1 }, { history: [{ itemIndex: 5, weight: 3 }] }, {}]) {
        expect(await again.recommend(query, { topK: 20 })).toEqual(await model.recommend(query, { topK: 20 }));
      }
    });

    check("stops when aborted", async () => {
      await expectError(fitted(data, { signal: AbortSignal.abort() }), "E_CANCELLED");
    });

    check("fits one user, one item, and a single event", async () => {
      const tiny = InteractionsOf.fromArrays({ userIndex: [0, 0], itemIndex: [0, 0], timestamp: [1, 2], numUsers: 1, numItems: 1 });
      const model = await fitted(tiny);
      expect([...(await model.recommend({ userIndex: 0 }, { excludeSeen: false })).itemIndex]).toEqual([0]);
      expect((await model.recommend({ userIndex: 0 })).itemIndex.length).toBe(0);
    });

    check("refuses data without events, unless it learns from features", async () => {
      const none = InteractionsOf.fromArrays({ userIndex: [], itemIndex: [], numUsers: 2, numItems: 2 });
      if (definition.requires === "itemFeatures") {
        expect((await fitted(none)).numItems).toBe(2);
        return;
      }
      await expectError(fitted(none), "E_DATA", /no interactions/);
    });

    check("never gives NaN for zero or huge weights", async () => {
      for (const value of [0, 1e30]) {
        const weight = data.weight.map(() => value);
        const model = await fitted(InteractionsOf.fromArrays({ ...data, weight }));
        const { score } = await model.recommend({ userIndex: 1 }, { topK: data.numItems, excludeSeen: false });
        expect([...score].every(Number.isFinite)).toBe(true);
      }
    });

    check("permutes its answers when users and items are relabelled", async () => {
      const userTo = relabelling(data.numUsers, 5);
      const itemTo = relabelling(data.numItems, 11);
      const relabelled = InteractionsOf.fromArrays({
        ...data,
        userIndex: data.userIndex.map((user) => (user < 0 ? -1 : userTo[user])),
        itemIndex: data.itemIndex.map((item) => itemTo[item]),
        users: undefined,
        items: undefined,
      });
      const [original, permuted] = [await fitted(), await fitted(relabelled)];
      for (let userIndex = 0; userIndex < data.numUsers; userIndex++) {
        const a = await scoresByItem(original, { userIndex });
        const b = await scoresByItem(permuted, { userIndex: userTo[userIndex] });
        a.forEach((score, item) => {
          expect(b[itemTo[item]]).toBe(score);
        });
      }
    });

    for (const [title, body] of routeChecks(definition, params)) check(title, body);
  });
}

async function scoresByItem(model: Recommender, query: Query): Promise<number[]> {
  const { itemIndex, score } = await model.recommend(query, { topK: model.numItems, excludeSeen: false });
  const scores = new Array<number>(model.numItems);
  itemIndex.forEach((item, r) => {
    scores[item] = score[r];
  });
  return scores;
}

function relabelling(size: number, step: number): number[] {
  return Array.from({ length: size }, (_, i) => (i * step + 3) % size); // step and size share no factor
}
