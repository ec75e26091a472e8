/** Trials in SQLite: the contract, and what only a file can do: survive, be read meanwhile, be damaged, be too new. */
import { spawn } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { expect, onTestFinished, test } from "vitest";
import type { Trial } from "../../src/core/trials.js";
import { openTrialStore } from "../../src/store/trial-store.js";
import { root } from "../cli/tastemaker.js";
import { trialStoreContract } from "../contracts/trial-store.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

trialStoreContract("sqlite", () => openTrialStore(join(temporaryFolder(), "below", "trials.db")));

const study = { id: "s", settings: {}, createdAt: "2024-01-01T00:00:00.000Z" };
const trial = (number: number): Trial => ({ number, params: { x: number }, state: "complete", value: number, reports: [], seconds: 1 });

test("is read by others while it is written, and opened again", async () => {
  const file = join(temporaryFolder(), "trials.db");
  const writer = await openTrialStore(file);
  await writer.putStudy(study);
  const reader = await openTrialStore(file);
  for (let n = 0; n < 20; n++) {
    await writer.addTrial("s", trial(n));
    expect(await reader.listTrials("s")).toHaveLength(n + 1);
  }
  await writer.close();
  await writer.close();
  await reader.close();
  const again = await openTrialStore(file);
  expect(await again.listTrials("s")).toEqual(Array.from({ length: 20 }, (_, n) => trial(n)));
  await again.close();
});

test("after closing, the file alone holds all trials", async () => {
  const folder = temporaryFolder();
  const store = await openTrialStore(join(folder, "trials.db"));
  await store.putStudy(study);
  for (let n = 0; n < 5; n++) await store.addTrial("s", trial(n));
  await store.readStudy("s");
  await store.close();
  copyFileSync(join(folder, "trials.db"), join(folder, "copy.db"));
  const copy = await openTrialStore(join(folder, "copy.db"));
  expect(await copy.listTrials("s")).toHaveLength(5);
  await copy.close();
});

test("what was acknowledged is there after kill -9", async () => {
  const file = join(temporaryFolder(), "trials.db");
  const script = `
    import { openTrialStore } from ${JSON.stringify(join(root, "dist", "store", "trial-store.js"))};
    const store = await openTrialStore(${JSON.stringify(file)});
    await store.putStudy(${JSON.stringify(study)});
    for (let number = 0; ; number++) {
      await store.addTrial("s", { number, params: { x: number }, state: "complete", value: number, reports: [], seconds: 1 });
      process.stdout.write(number + "\\n");
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
    if (text.includes("\n50\n")) child.kill("SIGKILL");
  });
  await new Promise((resolve) => child.on("close", resolve));
  const acknowledged = text.slice(0, text.lastIndexOf("\n")).split("\n").map(Number);
  const store = await openTrialStore(file);
  const kept = await store.listTrials("s");
  expect(acknowledged.length).toBeGreaterThan(50);
  expect(kept.slice(0, acknowledged.length)).toEqual(acknowledged.map(trial));
  await store.close();
});

test("a newer format and a file that is no database are refused", async () => {
  const folder = temporaryFolder();
  const newer = new Database(join(folder, "newer.db"));
  newer.exec("PRAGMA user_version = 7");
  newer.close();
  await expectError(openTrialStore(join(folder, "newer.db")), "E_MODEL_FORMAT", /format 7/);
  writeFileSync(join(folder, "text.db"), "this is no database, but long enough to look like one".repeat(20));
  await expectError(openTrialStore(join(folder, "text.db")), "E_IO", /text\.db/);
  writeFileSync(join(folder, "file"), "");
  await expectError(openTrialStore(join(folder, "file", "trials.db")), "E_IO", /Could not open/);
});
