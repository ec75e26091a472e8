/** Checkpoints on disk: what comes back, to whom it belongs, how often it is written, and every kind of damage. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ModelState } from "../../src/core/model.js";
import { Interactions } from "../../src/data/interactions.js";
import { openCheckpoint } from "../../src/store/checkpoint-store.js";
import { fixture } from "../support/fixture.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const data = fixture();
const identity = { data, model: "als", params: { factors: 4, alpha: 1 }, seed: 7 };
const everySeconds = 0;

function stateOf(step: number): ModelState {
  return {
    arrays: {
      user_factors: { shape: [2, 2], data: Float32Array.of(step, -0, 1e-40, Number.MAX_VALUE) },
      counts: { shape: [1], data: Float64Array.of(step / 3) },
    },
    extra: { losses: Array.from({ length: step }, (_, s) => 1 / (s + 1)) },
  };
}

/** A folder with step 1, then 2, kept. */
async function kept(): Promise<string> {
  const root = join(temporaryFolder(), "checkpoints");
  const checkpoint = await openCheckpoint(root, identity, { everySeconds, total: () => 15 });
  expect(checkpoint.resumeFrom).toBeUndefined();
  expect(existsSync(root)).toBe(false);
  for (const step of [1, 2]) await checkpoint.save(step, () => stateOf(step));
  return root;
}

test("gives back the last step, bit for bit, and keeps no other", async () => {
  const root = await kept();
  const { resumeFrom, total } = await openCheckpoint(root, { ...identity, params: { alpha: 1, factors: 4 } });
  expect(resumeFrom).toEqual({ step: 2, state: stateOf(2) });
  expect(total).toBe(15);
  expect(readdirSync(join(root, readdirSync(root)[0]))).toEqual(["step-00000002"]);
});

test("belongs to its data, model, parameters and seed alone", async () => {
  const root = await kept();
  const weight = data.weight.slice();
  weight[17] += 0.5;
  const others = [
    { ...identity, seed: 8 },
    { ...identity, model: "bpr" },
    { ...identity, params: { factors: 4, alpha: 2 } },
    { ...identity, data: Interactions.fromArrays({ ...data, weight }) },
    { ...identity, data: Interactions.fromArrays({ ...data, timestamp: undefined }) },
  ];
  for (const other of others) expect((await openCheckpoint(root, other)).resumeFrom).toBeUndefined();
});

test("is forgotten when it is removed", async () => {
  const root = await kept();
  await (await openCheckpoint(root, { ...identity, seed: 8 })).remove();
  expect((await openCheckpoint(root, identity)).resumeFrom?.step).toBe(2);
  await (await openCheckpoint(root, identity)).remove();
  expect(readdirSync(root)).toEqual([]);
});

test("is written no more often than asked, but always when the work is stopped", async () => {
  const root = join(temporaryFolder(), "checkpoints");
  const controller = new AbortController();
  const checkpoint = await openCheckpoint(root, identity, { signal: controller.signal });
  let copies = 0;
  const save = (step: number) =>
    checkpoint.save(step, () => {
      copies++;
      return stateOf(step);
    });
  for (let step = 1; step <= 5; step++) await save(step);
  expect(copies).toBe(0);
  controller.abort();
  await save(6);
  expect(copies).toBe(1);
  expect((await openCheckpoint(root, identity)).resumeFrom?.step).toBe(6);
});

test.each<[string, (step: string) => void]>([
  ["an array cut short", (step) => cut(join(step, "arrays", "user_factors.npy"))],
  ["a missing array", (step) => rmSync(join(step, "arrays", "counts.npy"))],
  ["a checkpoint.json cut short", (step) => cut(join(step, "checkpoint.json"))],
  ["another loss", (step) => writeFileSync(join(step, "checkpoint.json"), text(step).replace("0.5", "0.6"))],
  ["no checkpoint.json", (step) => rmSync(join(step, "checkpoint.json"))],
])("with %s is passed over, for an older one where there is one", async (_, damage) => {
  const root = await kept();
  const folder = join(root, readdirSync(root)[0]);
  damage(join(folder, "step-00000002"));
  const problems: string[] = [];
  const open = () => openCheckpoint(root, identity, { everySeconds, onProblem: (reason) => problems.push(reason) });
  const checkpoint = await open();
  expect(checkpoint.resumeFrom).toBeUndefined();
  expect(problems).toEqual([expect.stringMatching(/passed over: .*step-00000002.* damaged/)]);
  await checkpoint.save(1, () => stateOf(1));
  mkdirSync(join(folder, "step-00000009"));
  expect((await open()).resumeFrom).toEqual({ step: 1, state: stateOf(1) });
});

test("that cannot be written is told once, and the fit goes on", async () => {
  const root = join(temporaryFolder(), "checkpoints");
  writeFileSync(root, "a file is in the way");
  const problems: string[] = [];
  const checkpoint = await openCheckpoint(root, identity, { everySeconds, onProblem: (reason) => problems.push(reason) });
  for (const step of [1, 2]) await checkpoint.save(step, () => stateOf(step));
  expect(problems).toEqual([expect.stringMatching(/cannot be kept: Could not \w+ .*checkpoints/)]);
});

function text(step: string): string {
  return readFileSync(join(step, "checkpoint.json"), "utf8");
}

function cut(file: string): void {
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.subarray(0, bytes.length - 3));
}
