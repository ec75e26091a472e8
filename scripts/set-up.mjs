/**
 * What start, test, build and dev share: install the dependencies when they are missing or out of date,
 * and run a tool of node_modules as a child of this process. Plain Node, no shell, nothing installed needed.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of package.json. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

const lockFile = join(root, "package-lock.json");
const modules = join(root, "node_modules");
const stampFile = join(modules, ".tastemaker-set-up");

/** Installs with `npm ci --include=dev` when node_modules is missing or older than package-lock.json; never into a link. */
export async function setUp() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) stop(`Tastemaker needs Node 20.19 or newer; this is ${process.versions.node}.`);
  const lock = createHash("sha256").update(readFileSync(lockFile)).digest("hex");
  if (isInstalled(lock)) return;
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    say("node_modules is a link and may be out of date, but npm ci would empty the folder it leads to: nothing is installed.");
    return;
  }
  say("installing the dependencies (npm ci) …");
  const npm = npmCommand();
  await run(npm.command, [...npm.args, "ci", "--include=dev"], { shell: npm.shell });
  writeFileSync(stampFile, lock);
}

function isInstalled(lock) {
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === lock) return true;
  const installed = join(modules, ".package-lock.json"); // npm writes it last, after all packages
  return existsSync(installed) && existsSync(join(modules, "typescript")) && statSync(installed).mtimeMs >= statSync(lockFile).mtimeMs;
}

/** npm's own script run by this Node, which works on Windows too; a shell only where that script is not found. */
function npmCommand() {
  const beside = dirname(process.execPath);
  const scripts = [
    process.env.npm_execpath,
    join(beside, "node_modules", "npm", "bin", "npm-cli.js"),
    join(beside, "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"),
  ];
  const script = scripts.find((file) => file?.endsWith("npm-cli.js") && existsSync(file));
  return script
    ? { command: process.execPath, args: [script], shell: false }
    : { command: "npm", args: [], shell: process.platform === "win32" };
}

/** Runs the command `name` of an installed package with this Node; ends this process when it fails. */
export async function runTool(packageName, name, args, options) {
  const folder = join(modules, ...packageName.split("/"));
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  await run(process.execPath, [join(folder, typeof bin === "string" ? bin : bin[name]), ...args], options);
}

/** Runs a command in the repository root with this process's input and output; ends this process when it fails. */
export async function run(command, args, { shell = false, env = process.env } = {}) {
  const child = spawn(command, args, { cwd: root, stdio: "inherit", shell, env });
  const forward = (signal) => child.kill(signal);
  process.on("SIGINT", forward).on("SIGTERM", forward);
  const status = await new Promise((settle) => {
    child.on("error", (error) => settle(error));
    child.on("exit", (code, signal) => settle(code ?? 128 + constants.signals[signal]));
  });
  process.off("SIGINT", forward).off("SIGTERM", forward);
  if (status instanceof Error) stop(`${command} could not be run: ${status.message}`);
  if (status !== 0) process.exit(status);
}

export function say(text) {
  process.stderr.write(`tastemaker: ${text}\n`);
}

function stop(text) {
  say(text);
  process.exit(1);
}
