/**
 * The layer order of the architecture as data: every import of every source file goes to its own layer or a
 * lower one, `ui` sees only the server's types, and `node:` modules stay where they may be.
 * The offending edges are the failure message.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** Low to high; layers of one row never import each other. */
const order = [
  ["core"],
  ["kernels", "data"],
  ["nn"],
  ["ranking"],
  ["models", "evaluation"],
  ["tuning"],
  ["store"],
  ["service"],
  ["cli", "server", "edge"],
];

/** Entry points and the highest row each may import from. */
const entryPoints: Record<string, string> = { "index.ts": "service", "browser.ts": "store", "client.ts": "core" };

/** Edges beside the order, each with its reason. */
const exceptions = [
  { from: "cli", to: "server", reason: "`tastemaker serve` starts the server" },
  { from: "index.ts", to: "browser.ts", reason: "the Node API is the browser's and more" },
  { from: "client.ts", to: "server/api-types.ts", reason: "the client's answers are the server's types" },
];

/** Below `store`, only these may import `node:` modules; `kernels` and `nn` keep them in files of their own. */
const nodeAllowed = [/^kernels\/(.*\/)?[^/]*node[^/]*\.ts$/, /^nn\/(.*\/)?[^/]*node[^/]*\.ts$/, /^data\/readers\//, /^data\/sources\//];

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const rank = new Map(order.flatMap((row, height) => row.map((layer) => [layer, height] as const)));
const storeHeight = rank.get("store")!;

interface Import {
  file: string;
  specifier: string;
  typeOnly: boolean;
}

/** Paths relative to `folder`, with `/`. */
function filesUnder(folder: string, extension: RegExp): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extension.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((file) => !file.includes("node_modules/"));
}

/** All import and export-from statements, dynamic imports, import types and `new URL("./x", import.meta.url)`. */
function importsOf(file: string, text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|(^|[^:"'`])\/\/.*$/gm, "$1");
  const found: Import[] = [];
  for (const match of code.matchAll(/\b(?:import|export)\s+(type\s+)?(?:[^"'`;]*?\sfrom\s*)?["']([^"'\n]+)["']/g))
    found.push({ file, specifier: match[2], typeOnly: match[1] !== undefined });
  for (const match of code.matchAll(/\bimport\(\s*["'`]([^"'`\n]+)["'`]\s*[),]/g))
    found.push({ file, specifier: match[1], typeOnly: false });
  for (const match of code.matchAll(/\bnew URL\(\s*["'`](\.[^"'`\n]+)["'`]\s*,\s*import\.meta\.url/g))
    found.push({ file, specifier: match[1], typeOnly: false });
  return found;
}

/** The file in src that a relative import names, or undefined when it leads elsewhere. */
function target({ file, specifier }: Import): string | undefined {
  if (!specifier.startsWith(".") || specifier.endsWith(".wasm")) return undefined;
  const path = posix.normalize(posix.join(posix.dirname(file), specifier)).replace(/\.js$/, ".ts");
  return path.startsWith("../") ? undefined : path;
}

function isExcepted(from: string, to: string): boolean {
  const within = (path: string, place: string) => path === place || path.startsWith(`${place}/`);
  return exceptions.some((edge) => within(from, edge.from) && within(to, edge.to));
}

/** Why the import breaks the order, or undefined when it keeps it. */
function fault(edge: Import): string | undefined {
  const { file, specifier } = edge;
  const layer = file.includes("/") ? file.slice(0, file.indexOf("/")) : entryPoints[file];
  const height = layer === undefined ? undefined : rank.get(layer);
  if (layer === undefined || height === undefined) return `${file} belongs to no layer`;
  if (specifier.startsWith("node:"))
    return height >= storeHeight || nodeAllowed.some((place) => place.test(file)) ? undefined : `${file} imports ${specifier} below store`;
  const to = target(edge);
  if (to === undefined || isExcepted(file, to)) return undefined;
  if (!to.includes("/")) return `${file} → ${to}: nothing imports an entry point`;
  const toLayer = to.slice(0, to.indexOf("/"));
  const toHeight = rank.get(toLayer);
  if (toHeight === undefined) return `${file} → ${to}: ${toLayer} is no layer`;
  if (toLayer === layer) return undefined;
  const lower = file.includes("/") ? toHeight < height : toHeight <= height;
  return lower ? undefined : `${file} → ${to}: ${layer} may not import ${toLayer}`;
}

function faultsOf(file: string, text: string): string[] {
  return importsOf(file, text)
    .map(fault)
    .filter((text) => text !== undefined);
}

describe("layers", () => {
  test("every import of src keeps the order", () => {
    const files = filesUnder(join(root, "src"), /\.tsx?$/);
    expect(files.length).toBeGreaterThan(5);
    expect(files.flatMap((file) => faultsOf(file, readFileSync(join(root, "src", file), "utf8")))).toEqual([]);
  });

  test("the browser entry reaches no node: module", () => {
    const reached = new Map<string, string>([["browser.ts", "browser.ts"]]); // file → the way to it
    const faults: string[] = [];
    for (const [file, way] of reached) {
      for (const edge of importsOf(file, readFileSync(join(root, "src", file), "utf8"))) {
        if (edge.specifier.startsWith("node:")) faults.push(`${way} → ${edge.specifier}`);
        const to = edge.typeOnly ? undefined : target(edge);
        if (to !== undefined && !reached.has(to)) reached.set(to, `${way} → ${to}`);
      }
    }
    expect(faults).toEqual([]);
    expect(reached.size).toBeGreaterThan(20);
  });

  test("the page sees only the types of server/api-types", () => {
    const wrong = filesUnder(join(root, "ui"), /\.tsx?$/).flatMap((file) =>
      importsOf(`ui/${file}`, readFileSync(join(root, "ui", file), "utf8"))
        .filter((edge) => target(edge)?.startsWith("src/"))
        .filter((edge) => !edge.typeOnly || target(edge) !== "src/server/api-types.ts")
        .map((edge) => `${edge.file} → ${edge.specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  test.each([
    ["core/x.ts", 'import { a } from "../data/csr.js";', "core may not import data"],
    ["data/x.ts", 'import type { a } from "../kernels/als.js";', "data may not import kernels"],
    ["models/x.ts", 'export * from "../evaluation/evaluate.js";', "models may not import evaluation"],
    ["models/x.ts", 'const a = await import("../store/npy.js");', "models may not import store"],
    ["models/x.ts", 'import "node:fs";', "imports node:fs below store"],
    ["data/csr.ts", 'import {\n  a,\n} from "../service/train.js";', "data may not import service"],
    ["store/x.ts", 'const w = new URL("../cli/main.js", import.meta.url);', "store may not import cli"],
    ["service/x.ts", 'import { a } from "../index.js";', "nothing imports an entry point"],
    ["browser.ts", 'import { a } from "./service/run.js";', "store may not import service"],
    ["wherever/x.ts", 'import { a } from "../core/errors.js";', "belongs to no layer"],
  ])("finds the fault in %s: %s", (file, text, expected) => {
    expect(faultsOf(file, text).join()).toContain(expected);
  });

  test.each([
    ["models/als.ts", 'import { a } from "../core/errors.js"; import b from "../kernels/als.js";'],
    ["data/readers/csv.ts", 'import { createHash } from "node:crypto";'],
    ["cli/commands/serve.ts", 'import { createServer } from "../../server/app.js";'],
    ["core/x.ts", '// import { a } from "../data/csr.js";\n/* import "node:fs" */'],
  ])("lets %s be", (file, text) => {
    expect(faultsOf(file, text)).toEqual([]);
  });
});
