/**
 * What MovieLens 100k says of its users (u.user: id|age|gender|occupation|zip code) as feature columns: with the ids of user and movie the six
 * features of TensorFlow Recommenders' DCN tutorial. Ages in the groups of MovieLens 1M, of the zip code the first three digits (US regions).
 */
import { join } from "node:path";
import type { Features } from "../../core/features.js";
import type { IdMap } from "../../core/interactions.js";
import { readTextFile } from "./text-file.js";

const AGES = [18, 25, 35, 45, 50, 56];
const REGION_DIGITS = 3;

/** Columns aligned to any users by id; users that the file does not know have null. */
export async function readUserFeatures(folder: string): Promise<(users: IdMap) => Features> {
  const lines = (await readTextFile(join(folder, "u.user"))).trim().split("\n");
  const byId = new Map(lines.map((line) => [line.slice(0, line.indexOf("|")), line.trim().split("|")]));
  const column = (users: IdMap, value: (fields: readonly string[]) => string) => ({
    kind: "category" as const,
    values: Array.from(users.ids(), (id) => (byId.has(id) ? value(byId.get(id)!) : null)),
  });
  return (users) => ({
    numRows: users.size,
    columns: {
      gender: column(users, (fields) => fields[2]),
      occupation: column(users, (fields) => fields[3]),
      zip: column(users, (fields) => fields[4].slice(0, REGION_DIGITS)),
      age: column(users, (fields) => `${AGES.filter((from) => from <= Number(fields[1])).at(-1) ?? 1}+`),
    },
  });
}
