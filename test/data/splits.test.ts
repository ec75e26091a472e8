import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Interactions } from "../../src/data/interactions.js";
import { type SplitSpec, split } from "../../src/data/splits.js";
import { expectError } from "../support/errors.js";
import { DAY, fixture } from "../support/fixture.js";

/** Random events whose weight is their position, so that each can be recognised on either side. */
const anyEvents = fc
  .array(fc.record({ user: fc.integer({ min: -1, max: 6 }), item: fc.integer({ min: 0, max: 4 }), time: fc.integer({ min: 0, max: 9 }) }), {
    minLength: 2,
    maxLength: 60,
  })
  .map((events) =>
    Interactions.fromArrays({
      userIndex: events.map(({ user }) => user),
      itemIndex: events.map(({ item }) => item),
      timestamp: events.map(({ time }) => time * DAY),
      weight: events.map((_, position) => position),
      numUsers: 7,
      numItems: 5,
    }),
  );

const anySpec: fc.Arbitrary<SplitSpec> = fc.oneof(
  fc.record({ by: fc.constant("time" as const), at: fc.integer({ min: 0, max: 9 }).map((day) => day * DAY) }),
  fc.record({ by: fc.constant("time" as const), testFraction: fc.double({ min: 0.05, max: 0.95, noNaN: true }) }),
  fc.record({ by: fc.constant("last-days" as const), days: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ by: fc.constant("random" as const), testFraction: fc.double({ min: 0.05, max: 0.95, noNaN: true }), seed: fc.integer() }),
  fc.record({ by: fc.constant("leave-last-out" as const), perUser: fc.integer({ min: 1, max: 3 }) }),
  fc.record({
    by: fc.constant("held-out-users" as const),
    testFraction: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
    seed: fc.integer(),
    given: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  }),
);

/** The split, or undefined where a side would be empty (its own test below). */
function trySplit(data: Interactions, spec: SplitSpec) {
  try {
    return split(data, spec);
  } catch (error) {
    if ((error as { code?: string }).code === "E_DATA") return undefined;
    throw error;
  }
}

describe("every split", () => {
  test("puts each event on exactly one side, in input order, over the same users and items", () => {
    fc.assert(
      fc.property(anyEvents, anySpec, (data, spec) => {
        const sides = trySplit(data, spec);
        if (!sides) return;
        const parts = [sides.train, sides.test, ...(sides.given ? [sides.given] : [])];
        const positions = parts.flatMap((part) => [...part.weight]);
        expect([...positions].sort((a, b) => a - b)).toEqual([...data.weight]);
        for (const part of parts) {
          expect([...part.weight]).toEqual([...part.weight].sort((a, b) => a - b));
          expect([part.numUsers, part.numItems]).toEqual([data.numUsers, data.numItems]);
          part.weight.forEach((position, e) => {
            expect([part.userIndex[e], part.itemIndex[e]]).toEqual([data.userIndex[position], data.itemIndex[position]]);
          });
        }
        expect(sides.train.numInteractions).toBeGreaterThan(0);
        expect(sides.test.numInteractions).toBeGreaterThan(0);
      }),
      { numRuns: 400 },
    );
  });

  test("repeats exactly", () => {
    fc.assert(
      fc.property(anyEvents, anySpec, (data, spec) => {
        const [once, again] = [trySplit(data, spec), trySplit(data, spec)];
        expect(again && [...again.test.weight]).toEqual(once && [...once.test.weight]);
      }),
      { numRuns: 60 },
    );
  });

  test("by time lets nothing of the test's time into train", () => {
    fc.assert(
      fc.property(anyEvents, anySpec, (data, spec) => {
        if (spec.by !== "time" && spec.by !== "last-days") return;
        const sides = trySplit(data, spec);
        if (sides) expect(Math.max(...sides.train.timestamp!)).toBeLessThan(Math.min(...sides.test.timestamp!));
      }),
      { numRuns: 200 },
    );
  });
});

describe("by time", () => {
  const data = fixture();

  test("at and until are half open", () => {
    const at = data.timestamp![100];
    const until = data.timestamp![300];
    const { train, test: tested } = split(data, { by: "time", at, until });
    expect([train.numInteractions, tested.numInteractions]).toEqual([100, 200]);
    expect(tested.timestamp![0]).toBe(at);
  });

  test("testFraction keeps one instant together and comes as near as it can", () => {
    const times = [1, 2, 2, 2, 2, 3, 4, 5];
    const events = Interactions.fromArrays({ userIndex: times.map(() => 0), itemIndex: times.map(() => 0), timestamp: times });
    expect([...split(events, { by: "time", testFraction: 0.4 }).test.timestamp!]).toEqual([3, 4, 5]);
    expect([...split(events, { by: "time", testFraction: 0.8 }).test.timestamp!]).toEqual([2, 2, 2, 2, 3, 4, 5]);
    expect([...split(events, { by: "time", testFraction: 0.01 }).test.timestamp!]).toEqual([5]);
  });

  test("last-days counts back from the last event", () => {
    const { test: tested } = split(data, { by: "last-days", days: 2 });
    expect([...tested.timestamp!]).toEqual([...data.timestamp!.slice(-4)]);
  });
});

describe("by user", () => {
  test("leave-last-out takes the latest events, ties by input order, and leaves small users alone", () => {
    const data = Interactions.fromArrays({
      userIndex: [0, 0, 0, 0, 1, -1],
      itemIndex: [0, 1, 2, 3, 4, 5],
      timestamp: [5, 9, 9, 1, 7, 99],
    });
    expect([...split(data, { by: "leave-last-out", perUser: 1 }).test.itemIndex]).toEqual([2]);
    expect([...split(data, { by: "leave-last-out", perUser: 2 }).test.itemIndex]).toEqual([1, 2]);
    expect([...split(data, { by: "leave-last-out", perUser: 2 }).train.itemIndex]).toEqual([0, 3, 4, 5]);
  });

  test("held-out users have no event in train, and as many given as asked", () => {
    fc.assert(
      fc.property(anyEvents, fc.integer(), fc.integer({ min: 1, max: 3 }), (data, seed, given) => {
        const sides = trySplit(data, { by: "held-out-users", testFraction: 0.4, seed, given });
        if (!sides) return;
        const held = new Set(sides.test.userIndex);
        expect(held.has(-1)).toBe(false);
        expect([...sides.train.userIndex].filter((user) => held.has(user))).toEqual([]);
        for (const user of held) expect([...sides.given!.userIndex].filter((other) => other === user)).toHaveLength(given);
        for (const user of held) {
          const latestGiven = Math.max(...[...sides.given!.timestamp!].filter((_, e) => sides.given!.userIndex[e] === user));
          const firstTested = Math.min(...[...sides.test.timestamp!].filter((_, e) => sides.test.userIndex[e] === user));
          expect(latestGiven).toBeLessThanOrEqual(firstTested);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("held-out users differ by seed", () => {
    const data = fixture({ numUsers: 60, events: 2000 });
    const held = (seed: number) => [...new Set(split(data, { by: "held-out-users", testFraction: 0.2, seed }).test.userIndex)].sort();
    expect(held(1)).toHaveLength(12);
    expect(held(1)).not.toEqual(held(2));
  });

  test("without timestamps the given events are drawn, by default four fifths", () => {
    const n = 100;
    const data = Interactions.fromArrays({
      userIndex: Array.from({ length: n }, (_, e) => e % 2),
      itemIndex: Array.from({ length: n }, (_, e) => e),
    });
    const { given, test: tested } = split(data, { by: "held-out-users", testFraction: 0.5, seed: 3 });
    expect([given!.numInteractions, tested.numInteractions]).toEqual([40, 10]);
    expect([...tested.itemIndex]).not.toEqual([...data.itemIndex].filter((item) => item % 2 === tested.itemIndex[0] % 2).slice(-10));
  });
});

describe("errors", () => {
  const data = fixture({ events: 20 });
  const noTimes = Interactions.fromArrays({ userIndex: [0, 1], itemIndex: [0, 1] });

  test("an empty side says which and where the data lies", async () => {
    await expectError(() => split(data, { by: "time", at: 0 }), "E_DATA", /no events in train.*2020-09-13/s);
    await expectError(() => split(data, { by: "time", at: Date.UTC(2100, 0) }), "E_DATA", /no events in test.*2100-01-01/s);
    await expectError(() => split(noTimes, { by: "random", testFraction: 0.01, seed: 1 }), "E_DATA", /no events in test/);
    await expectError(() => split(noTimes, { by: "leave-last-out", perUser: 1 }), "E_DATA", /no events in test/);
    await expectError(() => split(noTimes, { by: "held-out-users", testFraction: 0.5, seed: 1, given: 3 }), "E_DATA", /no events in test/);
    const oneInstant = Interactions.fromArrays({ userIndex: [0, 1], itemIndex: [0, 1], timestamp: [5, 5] });
    await expectError(() => split(oneInstant, { by: "time", testFraction: 0.5 }), "E_DATA", /no events in train/);
  });

  test("times are needed where they are", async () => {
    await expectError(() => split(noTimes, { by: "time", at: 0 }), "E_DATA", /needs timestamps/);
    await expectError(() => split(noTimes, { by: "last-days", days: 1 }), "E_DATA", /needs timestamps/);
  });

  test("wrong specs are named", async () => {
    await expectError(() => split(data, { by: "random", testFraction: 1.5, seed: 1 }), "E_CONFIG", /testFraction is 1.5/);
    await expectError(() => split(data, { by: "random", testFraction: 0.5, seed: 0.5 }), "E_CONFIG", /seed/);
    await expectError(() => split(data, { by: "leave-last-out", perUser: 0 }), "E_CONFIG", /perUser/);
    await expectError(() => split(data, { by: "last-days", days: -1 }), "E_CONFIG", /days/);
    await expectError(() => split(data, { by: "time", at: Number.NaN }), "E_CONFIG", /at is NaN/);
    await expectError(() => split(data, { by: "time", at: 5, until: 5 }), "E_CONFIG", /until/);
    await expectError(
      () => split(data, { by: "held-out-users", testFraction: 0.5, seed: 1, given: 1, givenFraction: 0.5 }),
      "E_CONFIG",
      /not both/,
    );
    await expectError(() => split(data, { by: "randm" } as never), "E_CONFIG", /Did you mean random/);
  });
});
