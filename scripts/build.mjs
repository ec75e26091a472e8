/**
 * Builds dist/: the kernels (dist/wasm), the TypeScript sources, the page (dist/ui), and the bundle for exported models (dist/bundle).
 * A part whose inputs have not changed since its last good build is left as it is; `--force` builds all.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root, run, runTool, say, setUp } from "./set-up.mjs";

const stamps = join(root, "node_modules", ".cache", "tastemaker");

/** `inputs`: files and folders whose contents decide; `outputs`: what must exist for the part to count as built. */
const parts = [
  {
    name: "kernels",
    inputs: ["assembly", "scripts/build-kernels.mjs", "package-lock.json"],
    outputs: () => ["dist/wasm"],
    wanted: () => existsSync(join(root, "scripts/build-kernels.mjs")),
    build: () => run(process.execPath, ["scripts/build-kernels.mjs"]),
  },
  {
    name: "sources",
    inputs: ["src", "tsconfig.json", "package-lock.json"],
    outputs: () => sources().map((file) => `dist/${file}.js`),
    wanted: () => true,
    build: async () => {
      await runTool("typescript", "tsc", ["-p", "."]);
      removeOrphans();
    },
  },
  {
    name: "page",
    inputs: ["ui", "src/server", "package-lock.json"],
    outputs: () => ["dist/ui/index.html"],
    wanted: () => existsSync(join(root, "ui/vite.config.ts")),
    build: () => runTool("vite", "vite", ["build", "ui", "--logLevel", "warn"]),
  },
  {
    name: "bundle",
    inputs: ["bundle", "scripts/build-bundle.mjs", "src", "assembly", "package.json", "package-lock.json"],
    outputs: () => ["tastemaker.js", "index.html", "page.js"].map((file) => `dist/bundle/${file}`),
    wanted: () => existsSync(join(root, "bundle")),
    build: () => run(process.execPath, ["scripts/build-bundle.mjs"]),
  },
];

/** Builds what is out of date. Ends the process when a part fails. */
export async function build({ force = false } = {}) {
  mkdirSync(stamps, { recursive: true });
  for (const part of parts) {
    if (!part.wanted()) continue;
    const stamp = join(stamps, part.name);
    const hash = hashOf(part.inputs);
    const built = existsSync(stamp) && readFileSync(stamp, "utf8") === hash && part.outputs().every((file) => existsSync(join(root, file)));
    if (built && !force) continue;
    say(`building the ${part.name} …`);
    await part.build();
    writeFileSync(stamp, hash);
  }
}

function hashOf(inputs) {
  const hash = createHash("sha256");
  for (const file of inputs.flatMap((input) => filesUnder(input)).sort()) {
    hash.update(`${file}\n`).update(
      createHash("sha256")
        .update(readFileSync(join(root, file)))
        .digest(),
    );
  }
  return hash.digest("hex");
}

/** Paths relative to the root, with `/`; none when there is no such file or folder. */
function filesUnder(path) {
  const absolute = join(root, path);
  if (!existsSync(absolute)) return [];
  let entries;
  try {
    entries = readdirSync(absolute, { withFileTypes: true });
  } catch {
    return [path]; // a file
  }
  return entries.flatMap((entry) => (entry.isDirectory() ? filesUnder(`${path}/${entry.name}`) : [`${path}/${entry.name}`]));
}

/** Sources without folder `src` and extension. */
function sources() {
  return filesUnder("src")
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .map((file) => file.slice("src/".length, -".ts".length));
}

/** Removes what earlier builds made of sources that are no longer there. */
function removeOrphans() {
  const known = new Set(sources());
  for (const file of filesUnder("dist")) {
    if (["dist/wasm/", "dist/ui/", "dist/bundle/"].some((folder) => file.startsWith(folder))) continue;
    const source = file.slice("dist/".length).replace(/\.(d\.ts|js)$/, "");
    if (!known.has(source)) rmSync(join(root, file));
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await setUp();
  await build({ force: process.argv.includes("--force") });
}
