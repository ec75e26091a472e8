/** What holds for every recipe that ships with the package; that each runs on its data is for the tests beside this one. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { getModel } from "../../src/models/registry.js";
import { fastRecipe } from "../../src/service/fast.js";
import { readRecipe } from "../../src/service/recipe/recipe.js";
import { root } from "../cli/tastemaker.js";

const folder = join(root, "recipes");
const names = readdirSync(folder).flatMap((file) => (file.endsWith(".yaml") ? [file.slice(0, -".yaml".length)] : []));
const pages = [...readdirSync(folder).filter((file) => file.endsWith(".md")), "../docs/recipes.md"];

test("there are recipes", () => expect(names).toContain("demo"));

describe.each(names)("recipe %s", (name) => {
  test("is valid, named like its file, and opens with what it is for", async () => {
    const file = join(folder, `${name}.yaml`);
    const recipe = await readRecipe(file);
    expect(recipe.name).toBe(name);
    expect(readFileSync(file, "utf8")).toMatch(/^# .{40,}/);
  });

  test("has a page with its command, or stands on one", () => {
    const own = `${name}.md`;
    const candidates = pages.includes(own) ? [own] : pages;
    expect(candidates.filter((page) => readFileSync(join(folder, page), "utf8").includes(`${name}.yaml`))).not.toEqual([]);
  });

  test("has a smoke run that fits nothing for long", async () => {
    const fast = fastRecipe(await readRecipe(join(folder, `${name}.yaml`)));
    expect(fast.name).toBe(`${name}.fast`);
    for (const { name: model, params } of fast.models) {
      const limits = Object.entries(getModel(model).help).flatMap(([param, { fast: most }]) =>
        most === undefined ? [] : [{ param, most }],
      );
      for (const { param, most } of limits) expect(params[param], `${model} ${param}`).toBeLessThanOrEqual(most);
    }
  });
});
