/** The demo shop: the same bytes for the same seed, and a shop that looks like one. */
import { describe, expect, test } from "vitest";
import { createDemoOrders, demoColumns } from "../../src/service/demo/demo-shop.js";
import { sha256 } from "../../src/store/manifest.js";
import { expectError } from "../support/errors.js";

interface Row {
  user: string;
  item: string;
  title: string;
  category: string;
  time: number;
}

function rowsOf(csv: string): Row[] {
  const [header, ...lines] = csv.trimEnd().split("\n");
  expect(header).toBe(demoColumns.join(","));
  return lines.map((line) => {
    const cells = line.split(",");
    expect(cells.length, line).toBe(demoColumns.length);
    const [, user, item, title, category, , , orderedAt] = cells;
    return { user, item, title, category, time: Date.parse(`${orderedAt.replace(" ", "T")}Z`) };
  });
}

const countBy = <Key>(keys: Iterable<Key>) => {
  const counts = new Map<Key, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
};

describe("the demo shop", () => {
  const csv = createDemoOrders();
  const rows = rowsOf(csv);

  test("is the same bytes for the same seed, and another shop for another", () => {
    expect(createDemoOrders()).toBe(csv);
    expect(sha256(Buffer.from(csv))).toBe("f766033099d14e51b0631c90462f35ca1f85d96305bc77d4f9d04dc05e09b747");
    expect(createDemoOrders({ seed: 8 })).not.toBe(csv);
  });

  test("has the size that was promised, a year of orders by time", () => {
    expect(rows.length).toBeGreaterThan(60_000);
    expect(rows.length).toBeLessThan(80_000);
    expect(countBy(rows.map(({ user }) => user)).size).toBeGreaterThan(1900);
    expect(countBy(rows.map(({ item }) => item)).size).toBe(800);
    expect(countBy(rows.map(({ category }) => category)).size).toBe(12);
    expect(rows.every(({ time }, r) => r === 0 || time >= rows[r - 1].time)).toBe(true);
    expect(new Date(rows[0].time).toISOString()).toMatch(/^2024-10-01/);
    expect(new Date(rows.at(-1)!.time).toISOString()).toMatch(/^2025-09-30/);
    expect(new Set(rows.map(({ item, title }) => `${item} ${title}`)).size).toBe(800);
    expect(new Set(rows.map(({ title }) => title)).size).toBe(800);
  });

  test("has a long tail, repeat purchases, and a season", () => {
    const sold = [...countBy(rows.map(({ item }) => item)).values()].sort((a, b) => b - a);
    const topTenth = sold.slice(0, 80).reduce((sum, n) => sum + n, 0) / rows.length;
    expect(topTenth).toBeGreaterThan(0.25);
    expect(topTenth).toBeLessThan(0.6);
    const pairs = new Set(rows.map(({ user, item }) => `${user} ${item}`)).size;
    expect(1 - pairs / rows.length).toBeGreaterThan(0.25);
    const toys = countBy(rows.filter(({ category }) => category === "Toys").map(({ time }) => new Date(time).getUTCMonth()));
    expect(toys.get(11)!).toBeGreaterThan(2 * toys.get(5)!);
  });

  test("refuses more products than it has names for, and stops when told to", async () => {
    await expectError(() => createDemoOrders({ products: 10_000 }), "E_CONFIG", /10000 products/);
    await expectError(() => createDemoOrders({ signal: AbortSignal.abort() }), "E_CANCELLED");
  });
});
