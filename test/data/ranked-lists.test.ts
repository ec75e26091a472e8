/** Ranked lists in files: every format, guessed and named columns, what is rejected and what is unknown; ids as events have them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createIdMap } from "../../src/data/id-map.js";
import { readRankedLists } from "../../src/data/readers/ranked-lists.js";
import { readDataset } from "../../src/data/readers/read-dataset.js";
import { readTable } from "../../src/data/readers/read-table.js";
import { expectError } from "../support/errors.js";
import { runSql } from "../support/event-files.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const known = { users: createIdMap(["007", "8", "a very long user id of many bytes"]), items: createIdMap(["pen", "cup, blue", "3"]) };

function file(name: string, text: string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}

describe("reading ranked lists", () => {
  test("csv: any order, negative scores, quoted ids; unknown ids and unreadable rows are counted with an example", async () => {
    const path = file(
      "peer.csv",
      [
        "item_id,score,user_id",
        '"cup, blue",-1.5,007',
        "pen,1e-3,8",
        "pen,x,8",
        "ghost,2,8",
        "ghost,2,nobody",
        "3,,8",
        ",1,8",
        "3,inf,8",
        "pen,0,a very long user id of many bytes",
      ].join("\n"),
    );
    const { userIndex, itemIndex, score, rank, report } = await readRankedLists(path, known);
    expect(Array.from(userIndex)).toEqual([0, 1, 1, -1, 2]);
    expect(Array.from(itemIndex)).toEqual([1, 0, -1, -1, 0]);
    expect(Array.from(score!)).toEqual([-1.5, 0.001, 2, 2, 0]);
    expect(rank).toBeUndefined();
    expect(report).toMatchObject({
      rowsRead: 9,
      rowsKept: 5,
      users: 3,
      unknownUsers: { ids: 1, rows: 1, example: "nobody" },
      unknownItems: { ids: 1, rows: 2, example: "ghost" },
      columns: { user: "user_id", item: "item_id", score: "score" },
    });
    expect(report.rejected.map(({ reason, count, example }) => [reason, count, example.line])).toEqual([
      ["unreadable score", 2, 4],
      ["no score", 1, 7],
      ["no item", 1, 8],
    ]);
  });

  test("without a header: user, item, score; with ranks, and with names of one's own", async () => {
    const bare = await readRankedLists(file("bare.tsv", "007\t3\t0.5\n8\tpen\t0.25\n8\t3\t0.125\n"), known);
    expect([Array.from(bare.userIndex), Array.from(bare.itemIndex), Array.from(bare.score!)]).toEqual([
      [0, 1, 1],
      [2, 0, 2],
      [0.5, 0.25, 0.125],
    ]);
    const ranked = await readRankedLists(file("ranked.csv", "user,item,rank\n007,pen,1\n007,3,2\n"), known);
    expect(ranked.score).toBeUndefined();
    expect(Array.from(ranked.rank!)).toEqual([1, 2]);
    const both = await readRankedLists(file("both.csv", "user,item,rank,score\n007,pen,,2\n"), known);
    expect([both.rank, Array.from(both.score!)]).toEqual([undefined, [2]]);
    const named = await readRankedLists(file("named.csv", "wer,was,wie gut\n007,pen,3\n"), {
      ...known,
      columns: { user: "wer", item: "was", score: "wie gut" },
    });
    expect(Array.from(named.score!)).toEqual([3]);
  });

  test("Parquet with numbers for ids, and JSON lines", async () => {
    const path = join(temporaryFolder(), "peer.parquet");
    await runSql(`COPY (SELECT 8.0::DOUBLE AS user, 3::BIGINT AS item, -2.5::FLOAT AS score) TO '${path}' (FORMAT parquet)`);
    const parquet = await readRankedLists(path, known);
    expect([parquet.userIndex[0], parquet.itemIndex[0], parquet.score![0]]).toEqual([1, 2, -2.5]);
    const json = await readRankedLists(file("peer.jsonl", '{"user": "8", "item": "pen", "score": 1}\nnot json\n'), known);
    expect([json.userIndex[0], json.itemIndex[0], json.score![0]]).toEqual([1, 0, 1]);
    expect(json.report.rejected).toMatchObject([{ reason: "malformed row", count: 1, example: { line: 2 } }]);
  });

  test("ids are the texts that events have", async () => {
    const path = file("ids.csv", 'user,item,score\n 007,"a ""b""",1\n7.0,ä,1\n" ",x,1\n1e3,longer than twelve bytes,1\n');
    const events = (await readDataset(path, { columns: { user: "user", item: "item", timestamp: null, weight: "score", basket: null } }))
      .interactions;
    const table = await readTable(path, [
      { role: "user", kind: "id", names: ["user"], required: true },
      { role: "item", kind: "id", names: ["item"], required: true },
    ]);
    expect([...table.ids.user.ids.ids()]).toEqual([...events.users.ids()]);
    expect([...table.ids.item.ids.ids()]).toEqual([...events.items.ids()]);
  });

  test.each<[string, "E_CONFIG" | "E_DATA", RegExp]>([
    ["user,item\na,b\n", "E_CONFIG", /neither a score nor a rank/],
    ["who,item,score\na,b,1\n", "E_CONFIG", /no column for the user; it has who, item, score/],
    ["user,item,score\na,,1\n", "E_DATA", /None of the 1 rows.*no item \(1, first in line 2: "a, , 1"\)/],
  ])("%j is an error", async (text, code, message) => {
    await expectError(readRankedLists(file("bad.csv", text), known), code, message);
  });

  test("a misspelt column names its nearest, a missing file itself", async () => {
    const path = file("peer.csv", "user,item,score\na,b,1\n");
    await expectError(readRankedLists(path, { ...known, columns: { score: "scor" } }), "E_CONFIG", /no column "scor".*Did you mean score/);
    await expectError(readRankedLists(`${path}x`, known), "E_NOT_FOUND", /Did you mean peer\.csv/);
  });
});
