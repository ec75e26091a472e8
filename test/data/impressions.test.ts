/** Logs of impressions in files: guessed and named columns, empty propensities, places of a slate, several policies, and what is wrong. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readImpressions } from "../../src/data/readers/impressions.js";
import { expectError } from "../support/errors.js";
import { runSql } from "../support/event-files.js";
import { temporaryFolder } from "../support/temporary-folder.js";

function file(lines: readonly string[], name = "log.csv"): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

describe("reading impressions", () => {
  test("guesses the usual names; an empty propensity is kept as missing, an unreadable reward is rejected", async () => {
    const log = await readImpressions(
      file(["user_id,item_id,pscore,clicked,target_probability", "a,x,0.5,1,0.25", "b,y,,0,1", "a,y,0.125,oops,0", "c,x,0.5,-2.5,0.5"]),
    );
    expect(Array.from(log.userIndex!, (user) => log.users!.idOf(user))).toEqual(["a", "b", "c"]);
    expect(Array.from(log.itemIndex, (item) => log.items.idOf(item))).toEqual(["x", "y", "x"]);
    expect(Array.from(log.propensity)).toEqual([0.5, Number.NaN, 0.5]);
    expect(Array.from(log.reward)).toEqual([1, 0, -2.5]);
    expect(Object.entries(log.targets).map(([name, values]) => [name, ...values])).toEqual([["target_probability", 0.25, 1, 0.5]]);
    expect(log.report.rejected).toMatchObject([{ reason: "unreadable reward", count: 1, example: { line: 4 } }]);
  });

  test("of a slate only the first place counts", async () => {
    const log = await readImpressions(
      file(["item,position,propensity,reward,target_probability", "x,2,0.5,1,1", "y,1,0.25,0,0.5", "z,1,0.75,1,0.125"]),
    );
    expect([log.numLowerPlaces, log.userIndex]).toEqual([1, undefined]);
    expect([
      Array.from(log.itemIndex, (item) => log.items.idOf(item)),
      [...log.propensity],
      [...log.reward],
      [...log.targets.target_probability],
    ]).toEqual([
      ["y", "z"],
      [0.25, 0.75],
      [0, 1],
      [0.5, 0.125],
    ]);
  });

  test("columns by name, several policies, and predictions, from Parquet too", async () => {
    const path = join(temporaryFolder(), "log.parquet");
    await runSql(
      `COPY (SELECT 7::BIGINT AS arm, 0.5::DOUBLE AS p0, 1::INTEGER AS r, 0.25::FLOAT AS "new one", 0.75 AS p2) TO '${path}' (FORMAT parquet)`,
    );
    const log = await readImpressions(path, { columns: { propensity: "p0", reward: "r" }, targets: ["new one", "p2"] });
    expect([log.items.idOf(0), log.propensity[0], log.reward[0], log.targets["new one"][0], log.targets.p2[0]]).toEqual([
      "7",
      0.5,
      1,
      0.25,
      0.75,
    ]);
    const predicted = await readImpressions(file(["item,propensity,reward,q,expected_reward,target_probability", "x,0.5,1,0.5,0.25,1"]), {
      columns: { "predicted reward": "q" },
    });
    expect([predicted.predicted![0], predicted.expected![0]]).toEqual([0.5, 0.25]);
  });

  test("without columns of other policies there are none, which may be meant", async () => {
    const path = file(["item,propensity,reward", "x,0.5,1"]);
    expect((await readImpressions(path)).targets).toEqual({});
    expect((await readImpressions(path, { targets: [] })).targets).toEqual({});
  });

  test.each<[string, object, RegExp]>([
    ["item,reward\nx,1", {}, /no column for the propensity; it has item, reward.*call it propensity/],
    ["item,propensity\nx,1", {}, /no column for the reward/],
    ["item,propensity,reward\nx,1,1", { targets: ["nw"] }, /There is no column "nw"/],
    ["item,propensity,reward,predicted_reward\nx,1,1,1", {}, /only one of the predicted and the expected reward/],
    ["item,propensity,reward,predicted_reward,expected_reward,a,b\nx,1,1,1,1,1,1", { targets: ["a", "b"] }, /belongs to one policy/],
  ])("%j is an error", async (text, options, message) => {
    await expectError(readImpressions(file([text]), options), "E_CONFIG", message);
  });
});
