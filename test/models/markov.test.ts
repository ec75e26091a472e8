import { describe, expect, it } from "vitest";
import type { FittedModel, HistoryEvent, Query } from "../../src/core/model.js";
import { Interactions } from "../../src/data/interactions.js";
import { fit } from "../../src/models/registry.js";
import { expectError } from "../support/errors.js";
import { DAY, fixture } from "../support/fixture.js";

/** Plain transition probabilities, nothing else. */
const plain = { exponent: 1, smoothing: 0, popularityDiscount: 0, reverse: 0, acrossBaskets: 1, ownItems: 0, ownSteps: 0 };

const sequence = (items: number[][]) =>
  Interactions.fromArrays({ userIndex: items.flatMap((row, user) => row.map(() => user)), itemIndex: items.flat() });

async function scores({ fitted }: { fitted: FittedModel }, query: Query): Promise<number[]> {
  const out = new Float32Array(fitted.numItems);
  await fitted.scoreAll!([query], out);
  return [...out];
}

describe("markov", () => {
  it("follows the last items with fading weight, by hand", async () => {
    // pairs up to 2 apart: 0→1 twice, 0→2 at gap 2 and 0→3 at gap 2: 0 gives 2 + ½ + ½; 1→2, 1→3: ½ each
    const model = await fit(
      "markov",
      sequence([
        [0, 1, 2],
        [0, 1, 3],
      ]),
      { ...plain, window: 2, historyDecay: 1 },
    );
    const base = [1e-3, 1e-3, 5e-4, 5e-4];
    const expected = [0, (0.5 * 2) / 3, 0.5 + (0.5 * 0.5) / 3, 0.5 + (0.5 * 0.5) / 3].map((value, item) => value + base[item]);
    const found = await scores(model, { history: [{ itemIndex: 0 }, { itemIndex: 1 }] });
    found.forEach((score, item) => {
      expect(score).toBeCloseTo(expected[item], 6);
    });
    expect(
      await scores(model, {
        history: [
          { itemIndex: 1, timestamp: 8 },
          { itemIndex: 0, timestamp: 3 },
        ],
      }),
    ).toEqual(found);
    const followers = await model.similarItems(0, { topK: 5 });
    expect([...followers.itemIndex]).toEqual([1, 2, 3]);
    expect(followers.score[0]).toBeCloseTo(2 / 3, 6);
  });

  it("orders events by time, equal times and data without times by input", async () => {
    const userIndex = [0, 0, 0, 0];
    const itemIndex = [2, 0, 1, 3];
    const params = { ...plain, window: 1, neighbours: 1 };
    const followers = async (timestamp?: number[]) => {
      const model = await fit("markov", Interactions.fromArrays({ userIndex, itemIndex, timestamp }), params);
      return (await Promise.all([0, 1, 2, 3].map((item) => model.similarItems(item)))).map(({ itemIndex: [next = -1] }) => next);
    };
    expect(await followers()).toEqual([1, 3, 0, -1]);
    expect(await followers([5, 1, 1, 9])).toEqual([1, 2, 3, -1]);
    await expectError(fit("markov", Interactions.fromArrays({ userIndex, itemIndex }), { halfLifeDays: 3 }), "E_DATA", /timestamps/);
  });

  it("answers an unknown user from the basket, and counts the baskets of unknown users", async () => {
    const data = Interactions.fromArrays({
      userIndex: [-1, -1, -1, -1, 0, 0],
      itemIndex: [1, 2, 2, 3, 0, 0],
      basket: [0, 0, 1, 1, 2, -1],
    });
    const model = await fit("markov", data);
    const { itemIndex, source } = await model.recommend({ userIndex: -1, basket: [1] }, { excludeSeen: false });
    expect(source).toBe("markov");
    expect([...itemIndex]).toEqual([2, 0, 3]); // 3 never follows 1: the borders of unknown baskets are ends
    expect(model.isCold({ basket: [1] })).toBe(false);
    expect(model.isCold({ basket: [] })).toBe(true);
    expect(model.isCold({})).toBe(true);
  });

  it("lets a basket in fixed order silence the reverse steps", async () => {
    const ascending = Array.from({ length: 20 }, () => [0, 1, 2, 3, 4, 5]);
    const model = await fit("markov", sequence(ascending), { ...plain, window: 1, reverse: 1 });
    const back = async (basket: number[]) => (await scores(model, { basket }))[basket.at(-1)! - 1];
    expect(await back([3])).toBeCloseTo(0.5 + 1e-3, 6); // even odds: half the reverse table's certainty
    expect(await back([5, 4, 3])).toBeGreaterThan(0.9);
    // each ascending step halves the odds, but for the floor of 0.01; 0 → 1 adds its share, faded by 3 places
    const odds = ((0.5 + 0.01) / 1.01) ** 2;
    expect((await scores(model, { basket: [0, 1, 2] }))[1]).toBeCloseTo(odds / (1 + odds) + 1 / 3 + 1e-3, 5);
  });

  it("scores a given history as it scores the same training events", async () => {
    const data = fixture();
    const model = await fit("markov", data);
    const { offsets, indices, positions } = data.eventsByUser();
    for (let user = 0; user < data.numUsers - 1; user++) {
      const history = Array.from({ length: offsets[user + 1] - offsets[user] }, (_, e): HistoryEvent => {
        const position = positions[offsets[user] + e];
        return {
          itemIndex: indices[offsets[user] + e],
          weight: data.weight[position],
          timestamp: data.timestamp![position],
          basket: data.basket![position],
        };
      });
      expect(await scores(model, { history })).toEqual(await scores(model, { userIndex: user }));
    }
  });

  it("gives candidates and explanations the scores of whole rows", async () => {
    const data = fixture();
    const model = await fit("markov", data);
    const items = Int32Array.of(30, 3, 7, 0);
    for (const query of [{ userIndex: 4, basket: [3, 8, 2] }, { userIndex: 7 }, { basket: [1, 1] }]) {
      const row = await scores(model, query);
      const some = new Float32Array(4);
      await model.fitted.scoreCandidates!([query], items, some);
      expect([...some]).toEqual([...items].map((item) => row[item]));
      for (const item of items) {
        const { score, base, contribution, itemIndex } = await model.fitted.explain!(query, item);
        expect(score).toBe(row[item]);
        expect(base + contribution.reduce((sum, value) => sum + value, 0)).toBeCloseTo(score, 5);
        expect(new Set(itemIndex).size).toBe(itemIndex.length);
      }
    }
  });

  it("keeps the strongest items of each row", async () => {
    const data = fixture({ events: 900 });
    const [whole, cut] = [await fit("markov", data), await fit("markov", data, { neighbours: 3 })];
    for (let item = 0; item < data.numItems; item++) {
      expect(await cut.similarItems(item, { topK: 10 })).toEqual(await whole.similarItems(item, { topK: 3 }));
    }
  });

  const settings = [
    {},
    { window: 3, historyDecay: 0.8, exponent: 0.7, smoothing: 2, acrossBaskets: 0.4, halfLifeDays: 30, reverse: 1.5, ownItems: 1 },
    { popularityDiscount: 0.4, acrossBaskets: 1, reverse: 0, ownSteps: 0 },
  ];
  it.each(settings)("equals an independent computation with $0", async (params) => {
    const data = fixture({ events: 700, seed: 3 });
    const model = await fit("markov", data, params);
    const naive = naiveMarkov(data, model.params as unknown as Params);
    for (const query of [
      { userIndex: 2 },
      { userIndex: 5, basket: [4, 9, 1] },
      { userIndex: -1, basket: [7, 6] },
      { userIndex: 9, basket: [2] },
    ]) {
      const expected = naive(query);
      (await scores(model, query)).forEach((score, item) => {
        expect(score).toBeCloseTo(expected[item], 5);
      });
    }
  });
});

interface Params {
  window: number;
  historyDecay: number;
  exponent: number;
  smoothing: number;
  popularityDiscount: number;
  reverse: number;
  acrossBaskets: number;
  ownItems: number;
  ownSteps: number;
  halfLifeDays?: number;
}

/** From the formulas alone: a list of all pairs, float64, no tables of rows; rows are short enough that none is cut. */
function naiveMarkov(data: Interactions, p: Params): (query: { userIndex: number; basket?: number[] }) => number[] {
  const { numItems } = data;
  const now = Math.max(...data.timestamp!);
  const events = Array.from(data.itemIndex, (item, e) => ({
    item,
    basket: data.basket![e],
    owner: data.userIndex[e] >= 0 ? `user ${data.userIndex[e]}` : `basket ${data.basket![e]}`,
    time: data.timestamp![e],
    weight: data.weight[e],
  })).sort((a, b) => a.time - b.time);
  const owned = (owner: string) => events.filter((event) => event.owner === owner);
  const pairs = [...new Set(events.map(({ owner }) => owner))].flatMap((owner) =>
    owned(owner).flatMap((first, at, row) =>
      row.slice(at + 1, at + 1 + p.window).flatMap((second, gap) => {
        const fading = p.halfLifeDays ? 0.5 ** ((now - first.time) / (p.halfLifeDays * DAY)) : 1;
        const border = first.basket === second.basket ? 1 : p.acrossBaskets;
        return first.item === second.item ? [] : [{ owner, first, second, n: (fading * border) / (gap + 1), gap: gap + 1 }];
      }),
    ),
  );
  const total = (keep: (pair: (typeof pairs)[number]) => boolean) => pairs.filter(keep).reduce((sum, { n }) => sum + n, 0);
  const cells = new Map<string, number>();
  const sums = { first: [] as number[], second: [] as number[] };
  for (let item = 0; item < numItems; item++) {
    sums.first.push(total(({ first }) => first.item === item));
    sums.second.push(total(({ second }) => second.item === item));
  }
  for (const { first, second, n } of pairs) cells.set(`${first.item} ${second.item}`, (cells.get(`${first.item} ${second.item}`) ?? 0) + n);
  const value = (n: number, from: number, to: number) =>
    n === 0 ? 0 : (n / (from + p.smoothing)) ** p.exponent / to ** p.popularityDiscount;
  const ahead = (c: number, j: number) => value(cells.get(`${c} ${j}`) ?? 0, sums.first[c], sums.second[j]);
  const back = (c: number, j: number) => value(cells.get(`${j} ${c}`) ?? 0, sums.second[c], sums.first[j]);
  const counts = Array.from({ length: numItems }, (_, item) => events.filter((event) => event.item === item).length);

  return ({ userIndex, basket = [] }) => {
    const own = owned(`user ${userIndex}`);
    const context = [
      ...basket.toReversed().map((item) => ({ item, basket: -9, far: 1 })),
      ...own.toReversed().map((event) => ({ ...event, far: p.acrossBaskets })),
    ].map(({ item, basket, far }, back) => ({ item, basket, weight: far / (back + 1) ** p.historyDecay }));
    let odds = 1;
    for (let c = 1; c < context.length && context[c].basket === context[c - 1].basket; c++) {
      const [f, r] = [ahead(context[c].item, context[c - 1].item), back(context[c].item, context[c - 1].item)];
      odds *= (0.5 * f + 0.5 * r + 0.01) / (f + 0.01);
    }
    const near = context.slice(0, 50).filter(({ weight }) => weight >= 0.01);
    return counts.map((count, j) => {
      let score = (1e-3 * count) / Math.max(...counts);
      for (const { item, weight } of near) score += weight * (ahead(item, j) + ((p.reverse * odds) / (1 + odds)) * back(item, j));
      for (const item of new Set(near.map((one) => one.item))) {
        const mine = own.flatMap((first, at) =>
          own
            .slice(at + 1, at + 1 + p.window)
            .flatMap((second, gap) =>
              first.item === item && second.item !== item && second.basket === first.basket ? [{ to: second.item, n: 1 / (gap + 1) }] : [],
            ),
        );
        const sum = mine.reduce((all, { n }) => all + n, 0);
        const hits = mine.filter(({ to }) => to === j).reduce((all, { n }) => all + n, 0);
        score += (p.ownSteps * near.find((one) => one.item === item)!.weight * hits) / (sum + 1);
      }
      const bought = new Map<number, number>();
      for (const { item, weight } of own) bought.set(item, (bought.get(item) ?? 0) + weight);
      if (bought.has(j)) score += p.ownItems * (bought.get(j)! / (Math.max(...bought.values()) + p.smoothing)) ** p.exponent;
      return score;
    });
  };
}
