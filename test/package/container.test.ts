/**
 * The Dockerfile, as far as it can be checked without a container engine: its instructions are known ones, what it copies exists and is
 * not ignored, it runs as a user without rights. Its commands are run by tarball.test.ts.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Instructions with their words; continued lines joined, comments left out. */
function instructions(text: string): { name: string; rest: string }[] {
  return text
    .replace(/^\s*#.*\n/gm, "")
    .replace(/\\\n/g, " ")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => ({ name: line.split(" ", 1)[0], rest: line.slice(line.indexOf(" ") + 1) }));
}

const all = instructions(readFileSync(join(root, "Dockerfile"), "utf8"));
const ignored = readFileSync(join(root, ".dockerignore"), "utf8").trim().split("\n");
const last = all.slice(all.findLastIndex(({ name }) => name === "FROM"));

describe("Dockerfile", () => {
  it("has known instructions, and arguments in JSON where it should", () => {
    const known = ["FROM", "ARG", "ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"];
    expect(all.filter(({ name }) => !known.includes(name))).toEqual([]);
    expect(all[0].name).toBe("FROM");
    for (const name of ["ENTRYPOINT", "CMD"]) {
      const found = last.filter((instruction) => instruction.name === name);
      expect(found).toHaveLength(1);
      expect(Array.isArray(JSON.parse(found[0].rest))).toBe(true);
    }
  });

  it("copies what is there and not ignored, and from stages that exist", () => {
    const stages = all.filter(({ name }) => name === "FROM").map(({ rest }) => / AS (\S+)/.exec(rest)?.[1]);
    for (const { rest } of all.filter(({ name }) => name === "COPY")) {
      const words = rest.split(" ");
      const from = words[0].startsWith("--from=") ? words.shift()!.slice("--from=".length) : undefined;
      if (from !== undefined) expect(stages).toContain(from);
      else
        for (const source of words.slice(0, -1)) {
          expect(existsSync(join(root, source)), source).toBe(true);
          expect(ignored).not.toContain(source);
        }
    }
    expect(ignored).toEqual(expect.arrayContaining(["node_modules", "dist", ".git", ".tastemaker"]));
  });

  it("runs as a user without rights, installs without dev dependencies, and is asked whether it is ready", () => {
    const names = last.map(({ name }) => name);
    const user = last.findIndex(({ name }) => name === "USER");
    expect(last[user].rest).not.toMatch(/^(root|0)\b/);
    expect(names.indexOf("ENTRYPOINT")).toBeGreaterThan(user);
    expect(last.some(({ name, rest }) => name === "RUN" && rest.includes("npm ci --omit=dev"))).toBe(true);
    expect(last.find(({ name }) => name === "HEALTHCHECK")?.rest).toContain("/readyz");
    const [major] = /\d+/.exec(all[0].rest)!;
    expect(Number(major)).toBeGreaterThanOrEqual(20);
  });
});
