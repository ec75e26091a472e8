/** What README.md says is true: its example runs, its links lead somewhere, its commands exist, and it stays short. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

describe("README", () => {
  it("is at most 150 lines", () => {
    expect(readme.split("\n").length).toBeLessThanOrEqual(151);
  });

  it("has an example that runs as it stands", async () => {
    const example = /```ts\n([\s\S]*?)```/.exec(readme)![1];
    expect(example.trim().split("\n").length).toBeLessThanOrEqual(13);
    const folder = await mkdtemp(join(tmpdir(), "tastemaker-readme-"));
    try {
      const day = (e: number) => new Date(Date.UTC(2024, 0, 1 + (e % 120))).toISOString();
      const rows = Array.from(
        { length: 3000 },
        (_, e) => `u${e % 40},${["a", "b", "c"][(e % 40) % 3]}${Math.floor(((e * 7919) % 10007) ** 2 / 800000)},${day(e * 13)}`,
      );
      await writeFile(join(folder, "orders.csv"), ["customer,product,ordered_at", ...rows].join("\n"));
      const library = pathToFileURL(join(root, "dist/index.js")).href;
      await writeFile(join(folder, "example.mjs"), example.replace('from "tastemaker"', `from ${JSON.stringify(library)}`));
      const { stdout } = await run(process.execPath, ["example.mjs"], { cwd: folder });
      expect(stdout).toContain("ndcg@10");
      expect(existsSync(join(folder, "models/als/manifest.json"))).toBe(true);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("names only verbs that the command has", () => {
    const known = readdirSync(join(root, "src/cli/commands")).map((file) => file.replace(".ts", ""));
    const named = [...readme.matchAll(/^tastemaker ([a-z]+)/gm)].map((match) => match[1]);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((verb) => !known.includes(verb))).toEqual([]);
  });
});

describe("documents", () => {
  const documents = [
    "README.md",
    "CONTRIBUTING.md",
    ...readdirSync(join(root, "docs"))
      .filter((file) => file.endsWith(".md"))
      .map((file) => `docs/${file}`),
  ];

  it.each(documents)("the links of %s lead to files", (document) => {
    const text = readFileSync(join(root, document), "utf8");
    const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1]).filter((link) => !/^https?:/.test(link));
    expect(links.filter((link) => !existsSync(join(root, dirname(document), link)))).toEqual([]);
  });
});
