/**
 * Checks of what a model may offer beside scores: explanations, similar rows, partial refit, checkpoints; and of how it bears
 * bad data and an abort at any step. Each runs only where the model has the route. Called by `contracts/model.ts`.
 */
import { expect } from "vitest";
import { TastemakerError } from "../../src/core/errors.js";
import type { Interactions } from "../../src/core/interactions.js";
import type { Checkpoint, FitContext, ModelDefinition, ModelState, Query } from "../../src/core/model.js";
import { Interactions as InteractionsOf } from "../../src/data/interactions.js";
import { fit, refit, restoreRecommender } from "../../src/models/registry.js";
import type { Recommender, SimilarUsers } from "../../src/ranking/recommender.js";
import { knowsSimilar } from "../../src/ranking/similar.js";
import { expectError } from "../support/errors.js";
import { DAY, fixture } from "../support/fixture.js";
import { featuresFor } from "../support/item-features.js";

type Check = [title: string, body: () => Promise<void>];
type Context = Partial<Omit<FitContext, "fitModel">>;

export function routeChecks(definition: ModelDefinition, params: Record<string, unknown>): Check[] {
  const { name, partialRefit } = definition;
  const data = fixture();
  const fitted = (train: Interactions = data, context: Context = {}, more: Record<string, unknown> = {}) =>
    fit(name, train, { ...params, ...more }, { seed: 7, threads: 2, ...featuresFor(definition, train), ...context });

  return [
    [
      "explains a score as base plus contributions of the history",
      async () => {
        const model = await fitted();
        if (!model.fitted.explain) return;
        const { offsets, indices } = data.matrixByUser();
        const given = [{ itemIndex: 2 }, { itemIndex: 9, weight: 2 }, { itemIndex: 14, weight: 0.5 }];
        const users = [0, 4, 9].map((user): [Query, number[]] => [
          { userIndex: user },
          [...indices.subarray(offsets[user], offsets[user + 1])],
        ]);
        const askers: [Query, number[]][] = [...users, [{ history: given }, [2, 9, 14]]];
        for (const [query, history] of askers) {
          const { itemIndex, score } = await model.recommend(query, { topK: data.numItems, excludeSeen: false });
          for (const place of [0, 1, 5, 20, itemIndex.length - 1]) {
            const why = await model.explain(query, itemIndex[place]);
            expect(why.source).toBe(name);
            const size = why.contribution.reduce((most, share) => Math.max(most, Math.abs(share)), Math.abs(why.base));
            const close = (value: number) => expect(Math.abs(value - score[place])).toBeLessThanOrEqual(1e-4 * Math.max(size, 1e-6));
            close(why.score);
            close(why.contribution.reduce((sum, share) => sum + share, why.base));
            expect(why.contribution.length).toBe(why.itemIndex.length);
            expect([...why.itemIndex].filter((item) => !history.includes(item))).toEqual([]);
            expectBestFirst(why.itemIndex, why.contribution);
          }
        }
      },
    ],
    [
      "lists similar items and users best first, without the one asked for",
      async () => {
        const model = await fitted();
        const sides = [
          ["item", data.numItems, (row: number) => model.similarItems(row, { topK: 100 })],
          ["user", data.numUsers, (row: number) => model.similarUsers(row, { topK: 100 })],
        ] as const;
        for (const [kind, size, similar] of sides) {
          if (!knowsSimilar(model.fitted, kind)) {
            await expectError(similar(0), "E_CONFIG", new RegExp(`no similar ${kind}s`));
            continue;
          }
          let found = 0;
          for (let row = 0; row < size; row += 3) {
            const answer = await similar(row);
            const index = "itemIndex" in answer ? answer.itemIndex : (answer as SimilarUsers).userIndex;
            expectBestFirst(index, answer.score);
            expect([...index].filter((other) => other === row || other < 0 || other >= size)).toEqual([]);
            found += index.length;
          }
          expect(found).toBeGreaterThan(0);
          const some = await model.fitted[kind === "item" ? "similarItems" : "similarUsers"]?.(0, 2);
          expect(some?.index.length ?? 0).toBeLessThanOrEqual(2);
        }
      },
    ],
    [
      "takes in new users and items by a partial refit, or says why it cannot",
      async () => {
        const model = await fitted();
        const more = withNewcomers(data);
        if ("unavailable" in partialRefit) {
          expect(partialRefit.unavailable).toMatch(/^[^A-Z].{9,}[^.]$/); // the end of a sentence
          await expectError(refit(model, more), "E_CONFIG", /cannot be refitted in part/);
          return;
        }
        expect(partialRefit.how).toMatch(/^[A-Z].{9,}\.$/);
        const [before, answer] = [bytesOf(model), await model.recommend({ userIndex: 2 }, { topK: 20 })];
        const grown = await refit(model, more, { seed: 7, threads: 2 });
        expect({ users: grown.numUsers, items: grown.numItems }).toEqual({ users: data.numUsers + 2, items: data.numItems + 2 });
        for (const query of [
          { userIndex: data.numUsers },
          { userIndex: 2 },
          { history: [{ itemIndex: data.numItems }, { itemIndex: 3 }] },
        ]) {
          const { itemIndex, score, source } = await grown.recommend(query, { topK: grown.numItems, excludeSeen: false });
          expect(source).toBe(name);
          expect(itemIndex.length).toBe(grown.numItems);
          expect(score.every(Number.isFinite)).toBe(true);
        }
        expect(bytesOf(model)).toEqual(before);
        expect(await model.recommend({ userIndex: 2 }, { topK: 20 })).toEqual(answer);
        expect(bytesOf(await refit(model, more, { seed: 7, threads: 1 }))).toEqual(bytesOf(grown));
        const { state, params: saved } = grown.fitted;
        const again = restoreRecommender({ ...grown, params: { ...saved }, state: structuredClone(state.call(grown.fitted)) });
        const query = { userIndex: data.numUsers };
        expect(await again.recommend(query)).toEqual(await grown.recommend(query));
        await expectError(refit(model, more, { signal: AbortSignal.abort() }), "E_CANCELLED");
      },
    ],
    [
      "goes on from a checkpoint to the same bytes",
      async () => {
        const { states } = recording();
        const whole = await fitted(data, { checkpoint: recording(states).checkpoint });
        const steps = [...states.keys()];
        if (steps.length === 0) return;
        expect(steps).toEqual(steps.map((_, place) => place + 1)); // every step, counted from 1
        const last = steps.length;
        for (const step of new Set([1, Math.ceil(last / 2), last - 1, last].filter((one) => one >= 1))) {
          const controller = new AbortController();
          const cut = recording(new Map(), (at) => at === step && controller.abort());
          if (step < last) await expectError(fitted(data, { checkpoint: cut.checkpoint, signal: controller.signal }), "E_CANCELLED");
          const rest = recording();
          const state = copyOf(step < last ? cut.states.get(step)! : states.get(step)!);
          const resumed = await fitted(data, { checkpoint: { ...rest.checkpoint, resumeFrom: { step, state } }, threads: 1 });
          expect(bytesOf(resumed)).toEqual(bytesOf(whole));
          expect(resumed.fitted.state().extra).toEqual(whole.fitted.state().extra);
          expect([...rest.states.keys()].filter((saved) => saved <= step)).toEqual([]);
        }
      },
    ],
    [
      "stops at any step when aborted there",
      async () => {
        let calls = 0;
        const whole = await fitted(data, { onProgress: () => calls++ });
        for (let stopAt = 1; stopAt < Math.min(calls, 5); stopAt++) {
          const controller = new AbortController();
          let call = 0;
          const onProgress = () => void (++call === stopAt && controller.abort());
          await expectError(fitted(data, { signal: controller.signal, onProgress }), "E_CANCELLED");
        }
        if (calls > 1) expect(bytesOf(await fitted())).toEqual(bytesOf(whole));
      },
    ],
    [
      "bears poor data and extreme parameters: a finite model or a clear error",
      async () => {
        const { userIndex, itemIndex, timestamp } = data;
        const poor: Record<string, Interactions> = {
          "equal weights": InteractionsOf.fromArrays({ ...data, weight: data.weight.map(() => 3) }),
          "weights of 0 and 1e30": InteractionsOf.fromArrays({ ...data, weight: data.weight.map((_, e) => (e % 3 === 0 ? 1e30 : 0)) }),
          "one item": InteractionsOf.fromArrays({ userIndex, itemIndex: itemIndex.map(() => 0), timestamp, numUsers: data.numUsers }),
          "one user": InteractionsOf.fromArrays({ userIndex: userIndex.map(() => 0), itemIndex, timestamp, numItems: data.numItems }),
          "mostly empty users and items": InteractionsOf.fromArrays({
            userIndex: [0, 0, 1],
            itemIndex: [0, 1, 1],
            numUsers: 60,
            numItems: 70,
          }),
          "unknown users only": InteractionsOf.fromArrays({ userIndex: [-1, -1], itemIndex: [0, 1], numUsers: 3, numItems: 3 }),
        };
        for (const [what, train] of Object.entries(poor)) await expectBearable(() => fitted(train), train, what);
        for (const more of extremeParams(definition, params)) {
          const what = JSON.stringify(more);
          await expectBearable(() => fitted(data, {}, more), data, what);
          await expectBearable(() => fitted(poor["equal weights"], {}, more), data, `equal weights, ${what}`);
        }
      },
    ],
  ];
}

/** More factors than items, and every penalty at 0, alone and together, as far as the parameters allow. */
function extremeParams(definition: ModelDefinition, params: Record<string, unknown>): Record<string, unknown>[] {
  const keys = Object.keys(definition.help);
  const many = keys.includes("factors") ? [{ factors: 65 }] : [];
  const penalties = keys.filter(
    (key) => /^(regularization|l1|l2)|(Shrinkage|Regularization)$|^shrinkage$/.test(key) && !key.endsWith("Exponent"),
  );
  const free = penalties.map((key) => ({ [key]: 0 }));
  const all = Object.assign({}, ...many, ...free);
  return [...many, ...free, ...(Object.keys(all).length > 1 ? [all] : [])].filter(
    (more) => definition.params.safeParse({ ...params, ...more }).success,
  );
}

/** Fits, or fails as a person can understand; then every saved number and every score is finite. */
async function expectBearable(fitting: () => Promise<Recommender>, train: Interactions, what: string): Promise<void> {
  const clear = (error: unknown) => {
    expect(error, what).toBeInstanceOf(TastemakerError);
    expect(["E_DATA", "E_CONFIG", "E_TRAINING"], `${what}: ${(error as Error).message}`).toContain((error as TastemakerError).code);
    expect((error as TastemakerError).hint, what).toBeTruthy();
  };
  let model: Recommender;
  try {
    model = await fitting();
  } catch (error) {
    clear(error);
    return;
  }
  for (const [name, { data }] of Object.entries(model.fitted.state().arrays))
    expect(
      data.findIndex((value) => !Number.isFinite(value)),
      `${what}: ${name}`,
    ).toBe(-1);
  const users = Array.from({ length: Math.min(5, train.numUsers) }, (_, userIndex): Query => ({ userIndex }));
  for (const query of [...users, { history: [{ itemIndex: 0, weight: 0 }] }, { history: [{ itemIndex: 0, weight: 1e30 }] }]) {
    try {
      const { score } = await model.recommend(query, { topK: train.numItems, excludeSeen: false });
      expect(score.every(Number.isFinite), `${what}: ${JSON.stringify(query)}`).toBe(true);
    } catch (error) {
      clear(error);
    }
  }
}

/** A checkpoint that keeps every state, as a store would: small values as JSON. */
function recording(states = new Map<number, ModelState>(), onSave: (step: number) => void = () => {}) {
  const checkpoint: Checkpoint = {
    async save(step, state) {
      states.set(step, copyOf(state()));
      onSave(step);
    },
  };
  return { states, checkpoint };
}

function copyOf({ arrays, extra }: ModelState): ModelState {
  return { arrays: structuredClone(arrays), ...(extra === undefined ? {} : { extra: JSON.parse(JSON.stringify(extra)) }) };
}

/** All of `data`, and events of two new users and two new items behind the old ones. */
function withNewcomers(data: Interactions): Interactions {
  const { numUsers, numItems } = data;
  const events: [user: number, item: number][] = [
    [numUsers, 2],
    [numUsers, 5],
    [numUsers, numItems],
    [2, numItems],
    [2, numItems + 1],
    [numUsers + 1, 5],
    [numUsers + 1, numItems + 1],
    [4, 7],
  ];
  const end = data.timestamp!.reduce((latest, time) => Math.max(latest, time), 0);
  return InteractionsOf.fromArrays({
    userIndex: [...data.userIndex, ...events.map(([user]) => user)],
    itemIndex: [...data.itemIndex, ...events.map(([, item]) => item)],
    weight: [...data.weight, ...events.map(() => 1.5)],
    timestamp: [...data.timestamp!, ...events.map((_, e) => end + (1 + Math.floor(e / 2)) * DAY)],
    basket: [...data.basket!, ...events.map((_, e) => 1000 + Math.floor(e / 2))],
    numUsers: numUsers + 2,
    numItems: numItems + 2,
  });
}

function expectBestFirst(index: Int32Array, score: Float32Array): void {
  expect(new Set(index).size).toBe(index.length);
  for (let r = 0; r < score.length; r++) {
    expect(Number.isFinite(score[r])).toBe(true);
    if (r > 0) expect(score[r - 1] > score[r] || (score[r - 1] === score[r] && index[r - 1] < index[r])).toBe(true);
  }
}

export function bytesOf(model: Recommender): Record<string, number[]> {
  return Object.fromEntries(Object.entries(model.fitted.state().arrays).map(([key, { data }]) => [key, [...data]]));
}
