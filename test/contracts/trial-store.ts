/** What every trial store must do; each driver calls it with a way to open an empty one. */
import { describe, expect, test } from "vitest";
import type { Study, Trial, TrialStore } from "../../src/core/trials.js";
import { expectError } from "../support/errors.js";

const study: Study = { id: "a1", settings: { model: "als", space: { x: [1, 2] } }, createdAt: "2024-01-01T00:00:00.000Z" };

function trial(number: number, over: Partial<Trial> = {}): Trial {
  return { number, params: { x: 0.1 * number, name: "ü" }, state: "complete", value: 1 / 3, reports: [], seconds: 0.5, ...over };
}

export function trialStoreContract(name: string, open: () => Promise<TrialStore>): void {
  describe(`trial store ${name}`, () => {
    test("gives back what it was given, by number", async () => {
      const store = await open();
      await store.putStudy(study);
      const given = [
        trial(2, { state: "pruned", reports: [{ step: 2, value: 0.1 }] }),
        trial(0),
        trial(1, { state: "failed", value: undefined, error: "no" }),
      ];
      for (const one of given) await store.addTrial("a1", one);
      expect(await store.listTrials("a1")).toEqual([given[1], given[2], given[0]]);
      expect(await store.readStudy("a1")).toEqual(study);
      await store.close();
    });

    test("a study that is there stays, with its trials", async () => {
      const store = await open();
      await store.putStudy(study);
      await store.addTrial("a1", trial(0));
      await store.putStudy({ ...study, settings: {} });
      expect(await store.readStudy("a1")).toEqual(study);
      expect(await store.listTrials("a1")).toHaveLength(1);
      await store.close();
    });

    test("studies do not mix, and one can be removed", async () => {
      const store = await open();
      await store.putStudy(study);
      await store.putStudy({ ...study, id: "b2" });
      await store.addTrial("a1", trial(0));
      await store.addTrial("b2", trial(0, { value: 2 }));
      await store.deleteStudy("a1");
      await store.deleteStudy("nothing");
      expect(await store.listTrials("a1")).toEqual([]);
      expect((await store.listStudies()).map(({ id }) => id)).toEqual(["b2"]);
      expect(await store.listTrials("b2")).toEqual([trial(0, { value: 2 })]);
      await store.close();
    });

    test("a number is taken once, a study must be known", async () => {
      const store = await open();
      await store.putStudy(study);
      await store.addTrial("a1", trial(0));
      await expectError(store.addTrial("a1", trial(0, { value: 9 })), "E_UNAVAILABLE", /Another search is running.*trial 0/);
      expect((await store.listTrials("a1"))[0].value).toBe(1 / 3);
      await expectError(store.addTrial("zz", trial(0)), "E_NOT_FOUND", /no study "zz"/);
      await store.close();
    });

    test("keeps copies", async () => {
      const store = await open();
      await store.putStudy(study);
      const one = trial(0);
      await store.addTrial("a1", one);
      (one.params as Record<string, unknown>).x = 99;
      expect((await store.listTrials("a1"))[0].params.x).toBe(0);
      await store.close();
    });
  });
}
