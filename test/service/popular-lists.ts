/** A peer's csv made outside our models: the items of orders.csv before its last ten days by number of orders, for every user. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export function popularLists(folder: string): string[] {
  const rows = readFileSync(join(folder, "orders.csv"), "utf8")
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
  const time = (row: string[]) => Date.parse(`${row[2].replace(" ", "T")}Z`);
  const end = Math.max(...rows.map(time)) - 10 * 86_400_000;
  const counts = new Map<string, number>();
  for (const row of rows) if (time(row) <= end) counts.set(row[1], (counts.get(row[1]) ?? 0) + 1);
  const users = new Set(rows.map(([user]) => user));
  return ["user,item,score", ...[...users].flatMap((user) => [...counts].map(([item, count]) => `${user},${item},${count}`))];
}
