/** A search through the public API, as docs/tuning.md shows it: any objective, a model's own, and going on in a file. */
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  ashaScheduler,
  createMemoryTrialStore,
  getModel,
  gridSampler,
  modelObjective,
  modelSpace,
  noScheduler,
  openTrialStore,
  readInteractions,
  repairFor,
  split,
  tpeSampler,
  tune,
  userCases,
} from "../../src/index.js";
import { writeShop } from "../cli/tastemaker.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const study = { id: "one", settings: {}, createdAt: "2026-01-01T00:00:00Z" };

test("a model is searched, and a second call goes on in the file", async () => {
  const folder = temporaryFolder();
  const data = await readInteractions(writeShop(folder), { columns: { user: "buyer", item: "product", timestamp: "bought at" } });
  const { train, test: held } = split(data, { by: "last-days", days: 15 });
  const als = getModel("als");
  const start = als.params.parse({ factors: 2, iterations: 3 }) as Record<string, unknown>;
  const space = modelSpace(als, { params: start, narrowed: { factors: [2, 4, 8], iterations: 3 }, hasTimestamps: true });
  const cases = userCases(train, held, { excludeSeen: true });
  const search = async (trials: number) => {
    const store = await openTrialStore(join(folder, "trials.db"));
    await store.putStudy(study);
    try {
      return await tune({
        space,
        objective: modelObjective({ model: "als", train, cases, metric: "ndcg@10" }),
        direction: "maximize",
        sampler: tpeSampler(),
        scheduler: ashaScheduler(),
        seed: 42,
        budget: { trials },
        initial: [start],
        repair: repairFor(als, space, start),
        concurrency: 1,
        store,
        study: study.id,
      });
    } finally {
      await store.close();
    }
  };
  const first = await search(4);
  const second = await search(8);
  expect(second.trials).toHaveLength(8);
  expect(second.trials.slice(0, 4)).toEqual(first.trials); // kept, not done again
  expect(second.trials[0].params).toEqual(start);
  expect(second.best.value).toBeGreaterThanOrEqual(second.trials[0].value!);
});

test("any objective will do", async () => {
  const store = createMemoryTrialStore();
  await store.putStudy(study);
  const { best, trials } = await tune({
    space: {
      searched: { x: { kind: "number", low: -2, high: 2, scale: "linear", whole: false, alternatives: [] } },
      fixed: { shift: 1 },
    },
    objective: async ({ params }) => ({ value: ((params.x as number) - (params.shift as number)) ** 2 }),
    direction: "minimize",
    sampler: gridSampler({ points: 5 }),
    scheduler: noScheduler,
    seed: 1,
    budget: { trials: 100 },
    store,
    study: study.id,
  });
  expect(best.params).toEqual({ x: 1, shift: 1 });
  expect(trials).toHaveLength(5);
});
