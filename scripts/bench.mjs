/**
 * Runs benchmarks: `npm run bench -- [thing …] [--case TEXT] [--quick] [--json]`, a thing being bench/<thing>.bench.ts.
 * Builds, compiles bench/ to .tastemaker/cache/bench, and runs every case in a fresh process, one after the other.
 * `--json` prints one line per case: {bench, case, ours, peer?, ratio?, quality?, ceiling?, memory}; ratio > 1 means that we are faster;
 * memory.peakMiB is the largest resident memory of the case's process, memory.peerPeakMiB that of its peer.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { build } from "./build.mjs";
import { root, runTool, say, setUp } from "./set-up.mjs";

const compiled = join(root, ".tastemaker", "cache", "bench");

if (process.argv[2] === "--run") {
  await runCase(process.argv[3], Number(process.argv[4]), process.argv.includes("--quick"));
} else {
  await main();
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      case: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      "no-build": { type: "boolean", default: false },
    },
  });
  const known = readdirSync(join(root, "bench"))
    .filter((file) => file.endsWith(".bench.ts"))
    .map((file) => file.slice(0, -".bench.ts".length));
  // "topk" finds top-k.bench.ts
  const plain = (name) => name.replaceAll("-", "").toLowerCase();
  const things = positionals.length === 0 ? known : positionals.map((name) => known.find((thing) => plain(thing) === plain(name)) ?? name);
  for (const thing of things) {
    if (known.includes(thing)) continue;
    say(`there is no benchmark ${thing}; known: ${known.join(", ")}`);
    process.exit(64);
  }
  if (!values["no-build"]) {
    await setUp();
    await build();
  }
  await runTool("typescript", "tsc", ["-p", "bench"]);
  for (const thing of things) {
    const { cases } = await import(moduleOf(thing));
    for (const [index, { name }] of cases(values.quick).entries()) {
      if (values.case !== undefined && !name.includes(values.case)) continue;
      if (!values.json) say(`${name} …`);
      const result = await inFreshProcess(thing, index, values.quick);
      const line = { bench: thing, case: name, ...result };
      console.log(values.json ? JSON.stringify(line) : describe(line));
    }
  }
}

/** Runs one case in this process and writes its result to fd 3. */
async function runCase(thing, index, quick) {
  const { cases } = await import(moduleOf(thing));
  const cacheFolder = join(root, ".tastemaker", "cache", "bench-data");
  mkdirSync(cacheFolder, { recursive: true });
  const result = await cases(quick)[index].run({ quick, cacheFolder, say });
  const { peerPeakMiB } = await import(pathToFileURL(join(compiled, "support", "peer.js")).href);
  const { peakMiB } = await import(pathToFileURL(join(compiled, "support", "measure.js")).href);
  process.send({ ...result, memory: { peakMiB: peakMiB(), peerPeakMiB: peerPeakMiB() } });
}

async function inFreshProcess(thing, index, quick) {
  const args = [join(root, "scripts", "bench.mjs"), "--run", thing, String(index), ...(quick ? ["--quick"] : [])];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit", "ipc"] });
  let result;
  child.on("message", (message) => {
    result = message;
    child.disconnect();
  });
  const code = await new Promise((resolve) => child.on("exit", resolve));
  if (code !== 0 || result === undefined) {
    say(`the case failed (exit code ${code})`);
    process.exit(1);
  }
  return result;
}

function moduleOf(thing) {
  return pathToFileURL(join(compiled, `${thing}.bench.js`)).href;
}

function describe({ case: name, ours, peer, ratio, quality, ceiling, memory }) {
  const time = ({ min, median, spread, unit }) => `${format(median)} ${unit} (min ${format(min)}, spread ${Math.round(100 * spread)} %)`;
  const facts = (values = {}) =>
    Object.entries(values).map(([key, value]) => `${key} ${typeof value === "number" ? format(value) : value}`);
  return [
    name,
    `  ours   ${time(ours)}, ${ours.build} build`,
    ...(peer ? [`  peer   ${time(peer)}, ${peer.name}`, `  ratio  ${ratio.toFixed(2)}`] : []),
    ...(quality ? [`  quality ${facts(quality).join(", ")}`] : []),
    `  memory ${Math.round(memory.peakMiB)} MiB at most${memory.peerPeakMiB ? `, peer ${Math.round(memory.peerPeakMiB)} MiB` : ""}`,
    ...(ceiling ? [`  ceiling ${facts(ceiling).join(", ")}`] : []),
  ].join("\n");
}

function format(value) {
  return String(Number(value.toPrecision(4)));
}
