/** The leak check: what is planted is found with its count and an example, and what is no leak is not. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createIdMap } from "../../src/data/id-map.js";
import { Interactions, selectEvents } from "../../src/data/interactions.js";
import { type SplitSpec, split } from "../../src/data/splits.js";
import { checkLeaks, type LeakKind, refuseLeaks } from "../../src/evaluation/leaks.js";
import { expectError } from "../support/errors.js";
import { DAY, fixture } from "../support/fixture.js";

const users = createIdMap(["ann", "bob", "cid"]);
const items = createIdMap(["pen", "cup", "hat", "map"]);

/** Rows [user, item, day]; −1 = unknown user. */
function part(rows: [user: number, item: number, day?: number][], basket?: number[]): Interactions {
  const timed = rows[0]?.[2] !== undefined;
  return Interactions.fromArrays({
    userIndex: rows.map(([user]) => user),
    itemIndex: rows.map(([, item]) => item),
    timestamp: timed ? rows.map(([, , day]) => day! * DAY) : undefined,
    basket,
    users,
    items,
  });
}
const kinds = (findings: { kind: LeakKind; severity: string }[]) => findings.map(({ kind, severity }) => `${severity} ${kind}`);

const train = part([
  [0, 0, 1],
  [0, 1, 2],
  [1, 0, 3],
  [1, 2, 4],
]);

describe("test rows in train", () => {
  test("are an error with count, share and example; a later purchase of the same item is none", () => {
    const planted = part([
      [0, 0, 9],
      [1, 2, 4],
      [1, 1, 8],
      [0, 1, 2],
    ]);
    const [found] = checkLeaks(train, planted);
    expect(found).toMatchObject({ kind: "test-rows-in-train", severity: "error", count: 2, share: 0.5 });
    expect(found.example).toBe('user "bob", item "hat", 1970-01-05T00:00:00.000Z');
    expect(found.message).toMatch(/^2 of 4 test rows \(50\.0 %\) are also in train \(same user, item and time\), such as user "bob"/);
    const repeats = part([
      [0, 0, 9],
      [1, 0, 9],
    ]);
    expect(checkLeaks(train, repeats, { order: "global" })).toEqual([]);
  });

  test("without times are an error where nobody buys twice, else a warning that says why", () => {
    const once = part([
      [0, 0],
      [1, 1],
    ]);
    expect(kinds(checkLeaks(once, part([[0, 0]])))).toEqual(["error test-rows-in-train"]);
    expect(checkLeaks(once, part([[0, 1]]))).toEqual([]);
    const often = part([
      [0, 0],
      [0, 0],
      [1, 1],
    ]);
    const [found] = checkLeaks(often, part([[0, 0]]));
    expect(found).toMatchObject({ severity: "warning", count: 1 });
    expect(found.message).toMatch(/a repeated purchase and a leaked row look the same/);
  });

  test("of unknown users are told by their baskets, and not found without them", () => {
    const rows: [number, number, number][] = [[-1, 0, 1]];
    expect(kinds(checkLeaks(part(rows, [7]), part(rows, [7])))).toContain("error test-rows-in-train");
    expect(kinds(checkLeaks(part(rows, [7]), part(rows, [8])))).not.toContain("error test-rows-in-train");
    expect(kinds(checkLeaks(part(rows), part(rows)))).not.toContain("error test-rows-in-train");
  });
});

describe("time", () => {
  const mixed = part([
    [0, 2, 3],
    [1, 1, 9],
  ]);

  test("train later than the first test row is an error where the protocol goes by time, else a warning", () => {
    const [found] = checkLeaks(train, mixed, { order: "global" });
    expect(found).toMatchObject({ kind: "train-after-test", severity: "error", count: 1, share: 0.25 });
    expect(found.example).toContain('"bob", item "hat"');
    expect(kinds(checkLeaks(train, mixed))).toEqual(["warning train-after-test"]);
    expect(kinds(checkLeaks(train, mixed, { order: "per-user" }))).toEqual(["warning train-after-test"]); // each user's own order is kept
  });

  test("per user, a train row after the user's first test row is an error", () => {
    const [found] = checkLeaks(train, part([[1, 1, 3.5]]), { order: "per-user" });
    expect(found).toMatchObject({ kind: "train-after-test", severity: "error", count: 1 });
    expect(found.message).toMatch(/later than the first test row of the same user, such as user "bob", item "hat"/);
  });

  test("equal instants across the cut are a warning, not an error", () => {
    const same = part([
      [0, 2, 4],
      [1, 1, 4],
      [0, 1, 5],
    ]);
    const [found, ...rest] = checkLeaks(train, same, { order: "global" });
    expect(found).toMatchObject({ kind: "same-instant", severity: "warning", count: 2 });
    expect(found.message).toMatch(/same time as the last train row.*which came first is not known/);
    expect(rest).toEqual([]);
    expect(checkLeaks(train, part([[1, 1, 4]]), { order: "per-user" })[0]).toMatchObject({ kind: "same-instant", count: 1 });
  });
});

test("held-out users must be unknown to train, and be shown only what came before", () => {
  const given = part([
    [2, 0, 1],
    [2, 1, 6],
  ]);
  expect(checkLeaks(train, part([[2, 2, 9]]), { given })).toMatchObject([]);
  expect(kinds(checkLeaks(train, part([[2, 2, 5]]), { given }))).toEqual(["error train-after-test"]);
  expect(kinds(checkLeaks(train, part([[2, 1, 6]]), { given }))).toContain("error test-rows-in-train");
  const known = checkLeaks(train, part([[1, 1, 9]]), { given });
  expect(known[0]).toMatchObject({ kind: "held-out-users-in-train", count: 2, share: 0.5 });
});

test("validation may overlap neither train nor test", () => {
  const held = part([[0, 2, 9]]);
  const validation = part([
    [0, 2, 9],
    [1, 0, 3],
    [0, 0, 7],
  ]);
  const found = checkLeaks(train, held, { validation });
  expect(kinds(found)).toEqual(["error validation-rows-in-train", "error validation-rows-in-test"]);
  expect(found.map(({ count }) => count)).toEqual([1, 1]);
});

test("items and users of the future, and baskets cut in two, are warnings with their share", () => {
  const held = part([
    [2, 3, 9],
    [0, 3, 9],
    [0, 1, 9],
    [-1, 1, 9],
  ]);
  const found = checkLeaks(train, held, { order: "global" });
  expect(kinds(found)).toEqual(["warning future-items", "warning future-users"]);
  expect(found[0]).toMatchObject({ count: 2, share: 0.5 });
  expect(found[0].message).toMatch(/2 of 4 test rows \(50\.0 %\) are of 1 item without any train row, such as user "cid", item "map"/);
  expect(found[1]).toMatchObject({ count: 1, share: 0.25 });
  const [baskets] = checkLeaks(part([[0, 0, 1]], [5]), part([[0, 0, 2], [1, 0, 2]], [5, 6])); // biome-ignore format: two rows
  expect(baskets).toMatchObject({ kind: "split-baskets", severity: "warning", count: 1 });
});

test("parts over different tables are refused", async () => {
  await expectError(() => checkLeaks(train, Interactions.fromArrays({ userIndex: [0], itemIndex: [0] })), "E_DATA", /alignInteractions/);
});

test("errors make one DataError that names each with its example; warnings alone do not", async () => {
  const planted = checkLeaks(train, part([[1, 2, 4]]), { order: "global" });
  const error = await expectError(
    () => refuseLeaks(planted, "The test part", "Mend it."),
    "E_DATA",
    /The test part leaks: 1 of 1 test rows.*bob.*Mend it/,
  );
  expect(error.details.findings).toHaveLength(planted.filter(({ severity }) => severity === "error").length);
  refuseLeaks(checkLeaks(train, part([[2, 3, 9]])), "The test part", "");
});

describe("splits of our own", () => {
  const orders: Record<string, "global" | "per-user" | "none"> = {
    time: "global",
    "last-days": "global",
    "time-per-user": "per-user",
    "leave-last-out": "per-user",
    "leave-last-basket": "per-user",
  };
  const specs: SplitSpec[] = [
    { by: "time", testFraction: 0.2 },
    { by: "last-days", days: 30 },
    { by: "time-per-user", testFraction: 0.2 },
    { by: "leave-last-out", perUser: 1 },
    { by: "leave-last-basket" },
    { by: "held-out-users", testFraction: 0.2, seed: 1 },
    { by: "random", testFraction: 0.2, seed: 1 },
    { by: "random-per-user", testFraction: 0.2, seed: 1 },
  ];

  test.each(specs)("by $by have no leak, and a planted row is caught in any of them", (spec) => {
    // Distinct rows, so that none is its own twin.
    const rows = fixture({ events: 600 });
    const seen = new Set<string>();
    const distinct = Int32Array.from({ length: rows.numInteractions }, (_, e) => e).filter((e) => {
      const key = `${rows.userIndex[e]} ${rows.itemIndex[e]} ${rows.timestamp![e]}`;
      return rows.userIndex[e] >= 0 && !seen.has(key) && Boolean(seen.add(key));
    });
    const data = selectEvents(rows, distinct);
    const { train: learnt, test: held, given } = split(data, spec);
    const order = orders[spec.by] ?? "none";
    expect(checkLeaks(learnt, held, { order, given }).filter(({ severity }) => severity === "error")).toEqual([]);
    fc.assert(
      fc.property(fc.nat(held.numInteractions - 1), (row) => {
        const inTrain = Array.from({ length: data.numInteractions }, (_, e) => e).find(
          (e) =>
            data.userIndex[e] === held.userIndex[row] &&
            data.itemIndex[e] === held.itemIndex[row] &&
            data.timestamp![e] === held.timestamp![row],
        )!;
        const trained = Int32Array.from([...positions(data, learnt), inTrain].sort((a, b) => a - b));
        const [found] = checkLeaks(selectEvents(data, trained), held, { order, given });
        expect(found).toMatchObject({ kind: "test-rows-in-train", severity: "error", count: 1 });
      }),
      { numRuns: 20 },
    );
  });

  /** Where the rows of `chosen` stand in `data` (its rows are distinct). */
  function positions(data: Interactions, chosen: Interactions): number[] {
    const found: number[] = [];
    for (let e = 0, next = 0; next < chosen.numInteractions; e++) {
      if (data.userIndex[e] !== chosen.userIndex[next] || data.itemIndex[e] !== chosen.itemIndex[next]) continue;
      if (data.timestamp![e] !== chosen.timestamp![next]) continue;
      found.push(e);
      next++;
    }
    return found;
  }
});
