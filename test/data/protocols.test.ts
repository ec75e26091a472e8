/** Protocols of splitting: what each kind tests on small tables by hand, properties over random tables, folds, and aligned tables. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createIdMap } from "../../src/data/id-map.js";
import { Interactions } from "../../src/data/interactions.js";
import { alignInteractions, type FoldsSpec, type SplitResult, type SplitSpec, split, splitFolds } from "../../src/data/splits.js";
import { expectError } from "../support/errors.js";

/** Each event carries its own number as weight, so that it can be told on either side. */
function table(userIndex: number[], { time, basket }: { time?: number[]; basket?: number[] } = {}): Interactions {
  return Interactions.fromArrays({
    userIndex,
    itemIndex: userIndex.map((_, e) => e % 7),
    weight: userIndex.map((_, e) => e),
    timestamp: time,
    basket,
    numItems: 7,
  });
}
const rows = (part: Interactions | undefined) => Array.from(part?.weight ?? []);

describe("kinds of splits", () => {
  test("time-per-user tests the rounded last share of each user, never all of it; equal times by input order", () => {
    const data = table([0, 1, 0, 0, 2, 0, 1, -1], { time: [4, 1, 3, 2, 0, 2, 9, 99] });
    // user 0 in time order: rows 3, 5 (time 2), 2, 0; user 1: rows 1, 6; user 2: row 4 only
    const { train, test: held } = split(data, { by: "time-per-user", testFraction: 0.5 });
    expect(rows(held)).toEqual([0, 2, 6]);
    expect(rows(train)).toEqual([1, 3, 4, 5, 7]);
    const tie = split(table([0, 0, 0, 0], { time: [1, 1, 1, 1] }), { by: "time-per-user", testFraction: 0.25 });
    expect(rows(tie.test)).toEqual([3]);
  });

  test("random-per-user tests 25 of each user's 100 events at 75/25", () => {
    const data = table(Array.from({ length: 300 }, (_, e) => e % 3));
    const { train, test: held } = split(data, { by: "random-per-user", testFraction: 0.25, seed: 3 });
    expect([0, 1, 2].map((user) => held.userIndex.filter((one) => one === user).length)).toEqual([25, 25, 25]);
    expect(train.numInteractions).toBe(225);
    const again = split(data, { by: "random-per-user", testFraction: 0.25, seed: 3 });
    expect(rows(again.test)).toEqual(rows(held));
    expect(rows(split(data, { by: "random-per-user", testFraction: 0.25, seed: 4 }).test)).not.toEqual(rows(held));
  });

  test("leave-last-basket takes whole baskets, by their first events; no basket stays in train", () => {
    const data = table([0, 0, 0, 0, 1, 1, 0, -1], { time: [5, 1, 5, 2, 1, 1, 9, 99], basket: [8, 3, 8, 3, 4, 4, -1, 8] });
    const { train, test: held } = split(data, { by: "leave-last-basket" });
    expect(rows(held)).toEqual([0, 2]);
    expect(rows(train)).toEqual([1, 3, 4, 5, 6, 7]);
    const two = split(table([0, 0, 0, 0], { basket: [5, 6, 7, 5] }), { by: "leave-last-basket", perUser: 2 });
    expect(rows(two.test)).toEqual([1, 2]);
  });

  test.each<[SplitSpec, { time?: number[]; basket?: number[] }, RegExp]>([
    [{ by: "time-per-user", testFraction: 0.5 }, {}, /time-per-user needs timestamps/],
    [{ by: "leave-last-basket" }, {}, /needs baskets.*Name the order/],
    [{ by: "leave-last-basket" }, { basket: [1, 1, 1] }, /leaves no events in test.*more than 1 baskets/],
    [{ by: "leave-last-out", perUser: 3 }, {}, /leaves no events in test.*more than 3 events/],
    [{ by: "time-per-user", testFraction: 0.1 }, { time: [1, 2, 3] }, /leaves no events in test/],
    [{ by: "random-per-user", testFraction: 0.1, seed: 1 }, {}, /leaves no events in test/],
    [{ by: "time", at: 0 }, { time: [1, 2, 3] }, /leaves no events in train/],
    [{ by: "time", at: 9 }, { time: [1, 2, 3] }, /leaves no events in test/],
  ])("%j on what it cannot split is an error", async (spec, columns, message) => {
    await expectError(() => split(table([0, 0, 0], columns), spec), "E_DATA", message);
  });

  test.each<[unknown, RegExp]>([
    [{ by: "tiem", at: 1 }, /no split by "tiem"\. Did you mean time/],
    [{ by: "folds", folds: 5, seed: 1 }, /call splitFolds/],
    [{ by: "random-per-user", testFraction: 1, seed: 1 }, /testFraction is 1/],
    [{ by: "random-per-user", testFraction: 0.5, seed: 0.5 }, /seed is 0\.5/],
    [{ by: "leave-last-basket", perUser: 0 }, /perUser is 0/],
  ])("%j is an error", async (spec, message) => {
    await expectError(() => split(table([0, 0], { time: [1, 2], basket: [1, 2] }), spec as SplitSpec), "E_CONFIG", message);
  });
});

describe("folds", () => {
  test.each<[unknown, "E_CONFIG" | "E_DATA", RegExp]>([
    [{ folds: 1, seed: 1 }, "E_CONFIG", /folds is 1\./],
    [{ folds: 4, seed: 1 }, "E_DATA", /4 folds need at least as many events, and there are 3/],
    [{ folds: 2, of: "users", seed: 1, given: 2 }, "E_DATA", /as many users, and there are 0 with enough events/],
    [{ folds: 2, of: "items", seed: 1 }, "E_CONFIG", /of is items/],
    [{ folds: 2, seed: 1, given: 1 }, "E_CONFIG", /Only folds of users/],
  ])("%j is an error", async (spec, code, message) => {
    await expectError(() => [...splitFolds(table([0, 0, 1]), { by: "folds", ...(spec as object) } as FoldsSpec)], code, message);
  });

  test("of users: each is judged once, on the rest of a history that no train has", () => {
    const data = table(
      Array.from({ length: 60 }, (_, e) => e % 12),
      { time: Array.from({ length: 60 }, (_, e) => e) },
    );
    const folds = [...splitFolds(data, { by: "folds", folds: 3, of: "users", seed: 9, givenFraction: 0.6 })];
    const judged = folds.flatMap(({ train, test: held, given }) => {
      const users = [...new Set(held.userIndex)];
      expect(users).toHaveLength(4);
      expect([...new Set(given!.userIndex)].sort()).toEqual([...users].sort());
      expect(train.userIndex.some((user) => users.includes(user))).toBe(false);
      expect(given!.numInteractions).toBe(12); // 3 of each user's 5
      return users;
    });
    expect(judged.sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, user) => user));
  });
});

describe("properties over random tables", () => {
  const tables = fc
    .array(
      fc.record({ user: fc.integer({ min: -1, max: 5 }), time: fc.integer({ min: 0, max: 9 }), basket: fc.integer({ min: -1, max: 4 }) }),
      {
        minLength: 2,
        maxLength: 60,
      },
    )
    .map((events) =>
      table(
        events.map(({ user }) => user),
        { time: events.map(({ time }) => time), basket: events.map(({ basket }) => basket) },
      ),
    );
  const specs = fc.oneof(
    fc.record({ by: fc.constant("time" as const), testFraction: fc.double({ min: 0.05, max: 0.95, noNaN: true }) }),
    fc.record({ by: fc.constant("time-per-user" as const), testFraction: fc.double({ min: 0.05, max: 0.95, noNaN: true }) }),
    fc.record({ by: fc.constant("random" as const), testFraction: fc.double({ min: 0.05, max: 0.95, noNaN: true }), seed: fc.nat() }),
    fc.record({
      by: fc.constant("random-per-user" as const),
      testFraction: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
      seed: fc.nat(),
    }),
    fc.record({ by: fc.constant("leave-last-out" as const), perUser: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ by: fc.constant("leave-last-basket" as const), perUser: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ by: fc.constant("held-out-users" as const), testFraction: fc.double({ min: 0.1, max: 0.9, noNaN: true }), seed: fc.nat() }),
  );

  /** No row is lost, doubled or out of order, and the parts stand over the same ids. */
  function expectPartition(data: Interactions, { train, test: held, given }: SplitResult): void {
    const all = [...rows(train), ...rows(held), ...rows(given)];
    expect(all.sort((a, b) => a - b)).toEqual(rows(data));
    for (const part of [train, held, ...(given ? [given] : [])]) {
      expect(rows(part)).toEqual(rows(part).sort((a, b) => a - b));
      expect([part.numUsers, part.numItems]).toEqual([data.numUsers, data.numItems]);
      expect(rows(part).every((row, e) => part.timestamp![e] === data.timestamp![row] && part.userIndex[e] === data.userIndex[row])).toBe(
        true,
      );
    }
  }

  const attempt = (work: () => SplitResult): SplitResult | undefined => {
    try {
      return work();
    } catch {
      return undefined; // an empty side; the tests above say how
    }
  };

  test("every kind parts the rows, and keeps the order that it promises", () => {
    fc.assert(
      fc.property(tables, specs, (data, spec: SplitSpec) => {
        const parts = attempt(() => split(data, spec));
        if (!parts) return;
        expectPartition(data, parts);
        const { train, test: held, given } = parts;
        const counts = (part: Interactions, user: number) => part.userIndex.filter((one) => one === user).length;
        const times = (part: Interactions, user: number) => Array.from(part.timestamp!).filter((_, e) => part.userIndex[e] === user);
        if (spec.by === "time") expect(Math.max(...train.timestamp!)).toBeLessThan(Math.min(...held.timestamp!));
        if (spec.by === "random") expect(held.numInteractions).toBe(Math.round(data.numInteractions * spec.testFraction));
        for (let user = 0; user < data.numUsers; user++) {
          const [n, tested] = [counts(data, user), counts(held, user)];
          if (spec.by === "time-per-user" || spec.by === "random-per-user")
            expect(tested).toBe(Math.min(Math.round(n * spec.testFraction), Math.max(0, n - 1)));
          if (spec.by === "leave-last-out") expect(tested).toBe(n > spec.perUser ? spec.perUser : 0);
          if (spec.by === "time-per-user" || spec.by === "leave-last-out")
            expect(Math.max(-1, ...times(train, user))).toBeLessThanOrEqual(Math.min(99, ...times(held, user)));
          if (spec.by === "held-out-users" && tested > 0) {
            expect(counts(train, user)).toBe(0);
            expect(counts(given!, user)).toBeGreaterThan(0);
            expect(Math.max(...times(given!, user))).toBeLessThanOrEqual(Math.min(...times(held, user)));
          }
          if (spec.by === "leave-last-basket") {
            const baskets = (part: Interactions) =>
              new Set(Array.from(part.basket!).filter((b, e) => b >= 0 && part.userIndex[e] === user));
            const [left, tests] = [baskets(train), baskets(held)];
            expect([...tests].some((basket) => left.has(basket))).toBe(false);
            expect(tests.size).toBe(left.size + tests.size > spec.perUser! ? spec.perUser : 0);
          }
        }
        if (!["time", "random"].includes(spec.by)) expect(held.userIndex.includes(-1)).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  test("folds test every event once, in sizes that differ by one at most", () => {
    fc.assert(
      fc.property(tables, fc.integer({ min: 2, max: 7 }), fc.nat(), (data, folds, seed) => {
        fc.pre(data.numInteractions >= folds);
        const parts = [...splitFolds(data, { by: "folds", folds, seed })];
        expect(parts).toHaveLength(folds);
        for (const part of parts) expectPartition(data, part);
        expect(parts.flatMap((part) => rows(part.test)).sort((a, b) => a - b)).toEqual(rows(data));
        const sizes = parts.map((part) => part.test.numInteractions);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
  });
});

test("tables that were read apart come over shared ids, the first one's indexes unchanged", () => {
  const of = (users: string[], items: string[], pairs: [number, number][], basket?: number[]) =>
    Interactions.fromArrays({
      userIndex: pairs.map(([user]) => user),
      itemIndex: pairs.map(([, item]) => item),
      timestamp: pairs.map((_, e) => e),
      basket,
      users: createIdMap(users),
      items: createIdMap(items),
    });
  const base = of(
    ["u1", "u2"],
    ["a", "b"],
    [
      [0, 1],
      [1, 0],
      [-1, 1],
    ],
    [0, 3, -1],
  );
  const later = of(
    ["u3", "u2"],
    ["b", "c"],
    [
      [1, 0],
      [0, 1],
    ],
    [0, 1],
  );
  const [first, second] = alignInteractions([base, later]);
  expect([...first.users.ids()]).toEqual(["u1", "u2", "u3"]);
  expect([...first.items.ids()]).toEqual(["a", "b", "c"]);
  expect(Array.from(first.userIndex)).toEqual([0, 1, -1]);
  expect(Array.from(first.itemIndex)).toEqual([1, 0, 1]);
  const pairs = Array.from(second.userIndex, (user, e) => [second.users.idOf(user), second.items.idOf(second.itemIndex[e])]);
  expect(pairs).toEqual([
    ["u2", "b"],
    ["u3", "c"],
  ]);
  expect([Array.from(first.basket!), Array.from(second.basket!)]).toEqual([
    [0, 3, -1],
    [4, 5],
  ]);
  expect([second.numUsers, second.numItems, second.users, second.items]).toEqual([3, 3, first.users, first.items]);
});
