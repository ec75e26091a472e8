/**
 * The real command as a child process on dist/ (`npm test` builds it first), with a small shop to work on.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { createRandom } from "../../src/core/random.js";

export const root = resolve(fileURLToPath(new URL("../..", import.meta.url)));
const main = join(root, "dist", "cli", "main.js");
if (!existsSync(main)) throw new Error("dist/ is not built: run `npm test`, or `npm run build` first.");

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** Resolves when the text has appeared on the stream; rejects when the process ends without it. */
  seen(stream: "stdout" | "stderr", text: RegExp): Promise<RegExpExecArray>;
  finished: Promise<Finished>;
}

interface Options {
  cwd: string;
  env?: Record<string, string>;
  /** Default: the command itself. */
  script?: string;
}

export function start(args: readonly string[], { cwd, env, script = main }: Options): Running {
  const { PORT, HOST, TASTEMAKER_DATA, ...inherited } = process.env;
  const child = spawn(process.execPath, [script, ...args], { cwd, env: { ...inherited, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]!.setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
      for (const listener of listeners) listener();
    });
  }
  const finished = new Promise<Finished>((settle) => child.on("close", (code) => settle({ code, ...output })));
  onTestFinished(() => void child.kill("SIGKILL"));
  const seen = (stream: "stdout" | "stderr", text: RegExp) =>
    new Promise<RegExpExecArray>((settle, reject) => {
      const look = () => {
        const match = text.exec(output[stream]);
        if (match) settle(match);
      };
      listeners.add(look);
      look();
      void finished.then(({ code, stderr }) => reject(new Error(`ended with ${code} before ${text}:\n${stderr}`)));
    });
  return { child, seen, finished };
}

export function tastemaker(args: readonly string[], options: Options): Promise<Finished> {
  return start(args, options).finished;
}

/** Writes orders.csv: three tastes, some repeats, 60 days. */
export function writeShop(folder: string, { users = 40, items = 30, rows = 1200 } = {}): string {
  const random = createRandom(5);
  const lines = ["buyer,product,bought at,pieces,name"];
  for (let row = 0; row < rows; row++) {
    const user = random.integer(users);
    const item = (Math.floor(random.uniform() ** 2 * items * 0.5) + (user % 3) * Math.floor(items / 4)) % items;
    const time = new Date(Date.UTC(2024, 0, 1) + Math.floor((row / rows) * 60 * 86_400) * 1000).toISOString().slice(0, 19);
    lines.push(`u${user},p${item},${time.replace("T", " ")},${1 + random.integer(3)},"Product ""${item}"""`);
  }
  const file = join(folder, "orders.csv");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}
