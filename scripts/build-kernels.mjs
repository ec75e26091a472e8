/**
 * Compiles assembly/index.ts to dist/wasm/{plain,relaxed}-{shared,unshared}.wasm from one source.
 * Does nothing when sources, compiler and flags are those of the last build (`--force` builds anyway).
 * Safe to run twice at once: every file is written beside its place and renamed. Called by scripts/build.mjs.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const outFolder = path.join(root, "dist", "wasm");
const commonFlags = ["-O3", "--noAssert", "--runtime", "stub", "--use", "abort=", "--importMemory", "--enable", "simd"];
const variants = {
  "plain-shared": ["--enable", "threads", "--sharedMemory", "--initialMemory", "1", "--maximumMemory", "65536"],
  "plain-unshared": ["--initialMemory", "1"],
  "relaxed-shared": [
    "--enable",
    "relaxed-simd",
    "--enable",
    "threads",
    "--sharedMemory",
    "--initialMemory",
    "1",
    "--maximumMemory",
    "65536",
  ],
  "relaxed-unshared": ["--enable", "relaxed-simd", "--initialMemory", "1"],
};

/** Returns true when it built, false when everything was up to date. */
export async function buildKernels({ force = false } = {}) {
  const fingerprint = await fingerprintOfInputs();
  const fingerprintFile = path.join(outFolder, "inputs.sha256");
  const files = Object.keys(variants).map((name) => path.join(outFolder, `${name}.wasm`));
  const upToDate = files.every((file) => existsSync(file)) && (await readFile(fingerprintFile, "utf8").catch(() => "")) === fingerprint;
  if (upToDate && !force) return false;

  const { default: asc } = await import("assemblyscript/asc");
  await mkdir(outFolder, { recursive: true });
  for (const [name, flags] of Object.entries(variants)) {
    let binary;
    const { error, stderr } = await asc.main(
      ["assembly/index.ts", "--baseDir", root, "--outFile", "kernel.wasm", ...commonFlags, ...flags],
      {
        writeFile: (fileName, contents) => {
          if (fileName.endsWith(".wasm")) binary = contents;
        },
      },
    );
    if (error) throw new Error(`The kernels do not compile (${name}):\n${stderr.toString() || error.message}`);
    if (stderr.toString()) process.stderr.write(stderr.toString());
    if (hasSection(binary, 11))
      throw new Error("The kernels hold static data (Mathf.exp and the like do), which would overwrite the arena of every running thread.");
    await writeAtomically(path.join(outFolder, `${name}.wasm`), binary);
  }
  await writeAtomically(fingerprintFile, fingerprint);
  return true;
}

/** Whether a WebAssembly binary has a section of this id: after 8 bytes of header, each is its id, its length (LEB128), its content. */
function hasSection(binary, id) {
  for (let at = 8; at < binary.length; ) {
    if (binary[at++] === id) return true;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      length += (binary[at] & 127) * 2 ** shift;
      if (binary[at++] < 128) break;
    }
    at += length;
  }
  return false;
}

async function fingerprintOfInputs() {
  const hash = createHash("sha256");
  const folder = path.join(root, "assembly");
  const sources = (await readdir(folder)).filter((name) => name.endsWith(".ts")).sort();
  for (const file of [...sources.map((name) => path.join(folder, name)), fileURLToPath(import.meta.url)])
    hash.update(`${path.basename(file)}\n`).update(await readFile(file));
  const compiler = JSON.parse(await readFile(path.join(root, "node_modules", "assemblyscript", "package.json"), "utf8"));
  return hash.update(compiler.version).digest("hex");
}

async function writeAtomically(file, contents) {
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, contents);
  await rename(temporary, file);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const started = performance.now();
  const built = await buildKernels({ force: process.argv.includes("--force") });
  console.log(built ? `kernels: built in ${((performance.now() - started) / 1000).toFixed(1)} s` : "kernels: up to date");
}
