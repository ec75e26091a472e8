/** ultragcn: the item–item weights by hand, planted tastes found, a folded-in user near the trained one, newcomers in a partial refit. */
import { describe, expect, it } from "vitest";
import { Interactions } from "../../src/data/interactions.js";
import { split } from "../../src/data/splits.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { itemLinks } from "../../src/models/parts/ultra-gcn-graph.js";
import { fit, refit } from "../../src/models/registry.js";
import { fixture } from "../support/fixture.js";

describe("item links", () => {
  it("weigh neighbours by G_ij / (g_i − G_ii) · √(g_i / g_j), by hand", async () => {
    // users: {0, 1}, {0, 1, 2}, {2}: G = [[2,2,1],[2,2,1],[1,1,2]], g = [5, 5, 4]
    const data = Interactions.fromArrays({ userIndex: [0, 0, 1, 1, 1, 2], itemIndex: [0, 1, 0, 1, 2, 2] });
    const links = await itemLinks({ pairs: data.matrixByUser(), byItem: data.matrixByItem() }, { count: 1, weight: 10, threads: 1 });
    expect([...links.indices]).toEqual([1, 0, 0]);
    const expected = [(2 / 3) * 1, (2 / 3) * 1, (1 / 2) * Math.sqrt(4 / 5)];
    links.values.forEach((value, item) => {
      expect(value).toBeCloseTo(10 * expected[item], 5);
    });
  });
});

describe("ultragcn", () => {
  it("finds planted tastes: far better than popularity, with falling loss", async () => {
    const data = fixture({ numUsers: 200, numItems: 150, events: 4000 });
    const { train, test } = split(data, { by: "random-per-user", testFraction: 0.3, seed: 1 });
    const score = async (name: string) =>
      (await evaluate(await fit(name, train), train, test, { metrics: ["ndcg@10"], excludeSeen: true }))["ndcg@10"];
    expect(await score("ultragcn")).toBeGreaterThan(1.3 * (await score("popularity")));
    const losses = (await fit("ultragcn", train)).fitted.losses!;
    expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]);
  });

  it("ranks a history as the trained user who has it", async () => {
    const data = fixture({ numUsers: 100, numItems: 80, events: 3000 });
    const model = await fit("ultragcn", data, { epochs: 60 });
    const { offsets, indices } = data.matrixByUser();
    for (const user of [0, 10, 50]) {
      const history = [...indices.subarray(offsets[user], offsets[user + 1])].map((itemIndex) => ({ itemIndex }));
      const known = await model.recommend({ userIndex: user }, { topK: 20, excludeSeen: false });
      const folded = await model.recommend({ history }, { topK: 20, excludeSeen: false });
      expect([...folded.itemIndex].filter((item) => known.itemIndex.includes(item)).length).toBeGreaterThanOrEqual(14);
    }
  });

  it("ignores events of weight 0", async () => {
    const data = fixture();
    const more = Interactions.fromArrays({
      userIndex: [...data.userIndex, 3],
      itemIndex: [...data.itemIndex, data.numItems - 1],
      weight: [...data.weight, 0],
      numUsers: data.numUsers,
      numItems: data.numItems,
    });
    const [a, b] = [await fit("ultragcn", data, { epochs: 3 }), await fit("ultragcn", more, { epochs: 3 })];
    expect([...b.fitted.vectors!.itemVectors]).toEqual([...a.fitted.vectors!.itemVectors]);
  });

  it("goes on from what it knew in a partial refit", async () => {
    const data = fixture({ numUsers: 100, numItems: 80, events: 3000 });
    const model = await fit("ultragcn", data);
    const grown = await refit(model, data);
    expect(grown.fitted.losses!.length).toBe(8);
    expect(grown.fitted.losses![0]).toBeLessThan(model.fitted.losses![0]);
  });
});
