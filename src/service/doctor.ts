/**
 * The use case "doctor": tries each thing that Tastemaker needs of the machine. Called by the command line.
 */
import { readdir, rm } from "node:fs/promises";
import { availableParallelism, freemem, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { TastemakerError } from "../core/errors.js";
import { bestVariant, loadKernels } from "../kernels/loader.js";
import { neuralRuntime } from "../nn/runtime.js";
import { writeFileAtomically } from "../store/durable-files.js";
import { tastemakerVersion } from "../store/version.js";

export interface Finding {
  name: string;
  ok: boolean;
  detail: string;
  /** How to mend it. */
  hint?: string;
}

const GIB = 2 ** 30;

export async function examine({ workspace, dataFolder }: { workspace: string; dataFolder?: string }): Promise<Finding[]> {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const newEnough = major > 20 || (major === 20 && minor >= 19);
  const variant = bestVariant();
  const findings: Finding[] = [
    { name: "tastemaker", ok: true, detail: `version ${tastemakerVersion}` },
    {
      name: "Node",
      ok: newEnough,
      detail: `version ${process.versions.node} on ${process.platform} ${process.arch}`,
      hint: "Install Node 20.19 or newer.",
    },
    { name: "cores", ok: true, detail: String(availableParallelism()) },
    { name: "memory", ok: totalmem() > GIB, detail: `${gib(totalmem())}, ${gib(freemem())} free`, hint: "At least 1 GiB is needed." },
    await attempt("kernels", "Build them with `npm run build`, or install the package again.", async () => {
      await loadKernels(variant);
      return `${variant.build} SIMD, ${variant.shared ? "shared memory and threads" : "one thread"}`;
    }),
    await attempt("DuckDB", "Install again without --omit=optional: its binaries are optional packages.", async () => {
      const { DuckDBInstance, version } = await import("@duckdb/node-api");
      const connection = await (await DuckDBInstance.create(":memory:")).connect();
      await connection.run("SELECT 42");
      connection.closeSync();
      return `version ${version()}`;
    }),
    { name: "ONNX Runtime", ok: true, detail: await describeRuntime() },
    await attempt(`folder ${workspace}`, "Choose another with --workspace.", async () => {
      const file = join(resolve(workspace), "doctor");
      await writeFileAtomically(file, "");
      await rm(file);
      return "writable";
    }),
  ];
  if (dataFolder === undefined) findings.push({ name: "data folder", ok: true, detail: "none named (TASTEMAKER_DATA)" });
  else
    findings.push(
      await attempt(`data folder ${dataFolder}`, "Correct --data or TASTEMAKER_DATA.", async () =>
        (await readdir(dataFolder)).sort().join(", "),
      ),
    );
  return findings;
}

/** Optional, so that its absence is no problem. */
async function describeRuntime(): Promise<string> {
  try {
    const { version, devices } = await neuralRuntime();
    return `${version}, built for ${devices.join(", ")}`;
  } catch (error) {
    return `none; neural models need it. ${error instanceof TastemakerError ? error.hint : error}`;
  }
}

async function attempt(name: string, hint: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return { name, ok: true, detail: await work() };
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error), hint };
  }
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
