/**
 * Bundles `tastemaker/browser` with its kernels into dist/bundle/tastemaker.js, beside the page of an exported model (bundle/), so that
 * `tastemaker export --format browser` needs no bundler. After dist/browser.js and dist/wasm; called by scripts/build.mjs.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { root } from "./set-up.mjs";

/** Packages inside the bundle, named with their licences in its first line; another one stops the build. */
const licences = { zod: "MIT", protobufjs: "BSD-3-Clause", long: "Apache-2.0" };

export async function buildBundle() {
  const folder = join(root, "dist", "bundle");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const bundle = await rolldown({
    input: join(root, "bundle", "entry.js"),
    platform: "browser",
    external: ["onnxruntime-node"],
    transform: { define: { "import.meta": "{}" } },
    plugins: [{ name: "tastemaker", resolveId, load }],
  });
  const { output } = await bundle.generate({ format: "iife", minify: true, codeSplitting: false });
  await bundle.close();
  const [{ code, modules }] = output;
  const inside = new Set(
    Object.keys(modules).map((id) => /node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/](?!.*node_modules)/.exec(id)?.[1]),
  );
  const named = [...inside].filter(Boolean).sort();
  const unknown = named.filter((name) => !licences[name]);
  if (unknown.length > 0) throw new Error(`the bundle holds ${unknown.join(", ")}: name their licences in scripts/build-bundle.mjs`);
  const parts = named.map((name) => `${name} (${licences[name]}, npmjs.com/package/${name})`).join(", ");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "tastemaker.js"), `/*! tastemaker ${version}, Apache-2.0; contains ${parts} */\n${code}`);
  for (const file of ["index.html", "page.js"]) copyFileSync(join(root, "bundle", file), join(folder, file));
}

function resolveId(specifier) {
  if (specifier === "tastemaker/browser") return join(root, "dist", "browser.js");
  if (specifier.startsWith("tastemaker/kernels/")) return `\0${specifier}`;
}

/** A kernel as text in base64. */
function load(id) {
  if (!id.startsWith("\0tastemaker/kernels/")) return;
  const bytes = readFileSync(join(root, "dist", "wasm", id.split("/").at(-1)));
  return { code: `export default ${JSON.stringify(bytes.toString("base64"))};`, moduleType: "js" };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await buildBundle();
