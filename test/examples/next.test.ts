/** The route handler of examples/next, called as Next.js calls it: with a Request. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { idsFor, saveSmallModel } from "./saved-model.js";

test("answers known users, given items and everybody else", async () => {
  const folder = join(temporaryFolder(), "model");
  process.env.MODEL = folder;
  const { GET } = await import("../../examples/next/app/api/recommendations/route.js");
  const ask = (query: string) => GET(new Request(`http://localhost/api/recommendations${query}`));
  await expect(ask("")).rejects.toMatchObject({ code: "E_NOT_FOUND" }); // no model yet
  const { model } = await saveSmallModel(folder);
  const listOf = async (query: string) => {
    const { source, items } = await (await ask(query)).json();
    return { source, ids: items.map(({ id }: { id: string }) => id) };
  };
  const [user, one, two] = [model.users.idOf(5), model.items.idOf(3), model.items.idOf(9)];
  expect(await listOf(`?user=${user}&topK=5`)).toEqual({ source: "als", ids: await idsFor(model, { userIndex: 5 }, 5) });
  const history = [{ itemIndex: 3 }, { itemIndex: 9 }];
  expect(await listOf(`?item=${one}&item=${two}`)).toEqual({ source: "als", ids: await idsFor(model, { history }) });
  expect((await listOf("")).source).toBe("popularity fallback");
  for (const [query, words] of [
    ["?item=none", /no item "none"/],
    ["?topK=0", /1 to 100/],
    ["?topK=many", /1 to 100/],
  ] as const) {
    const response = await ask(query);
    expect([response.status, (await response.json()).error]).toEqual([400, expect.stringMatching(words)]);
  }
});
