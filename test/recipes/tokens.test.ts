/** recipes/tokens.yaml on a made-up ledger, from transfers to answers over HTTP in the article's shape. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { type ServedRecipe, serveRecipe } from "../support/served-recipe.js";

const ZERO = `0x${"0".repeat(40)}`;
const address = (kind: string, number: number) => `0x${kind.repeat(32)}${number.toString(16).padStart(8, "0")}`;
const holders = Array.from({ length: 60 }, (_, number) => address("a", number));
const tokens = Array.from({ length: 18 }, (_, number) => address("b", number));
const burnt = address("c", 1);
const debtor = address("d", 1);

let served: ServedRecipe;

interface Lists {
  token_addresses: string[];
}

/** Holders like every third token; one token is burnt as a whole, and one address gives away what it never got. */
function transfers(): string[] {
  const random = createRandom(11);
  const rows = ["token_address,from_address,to_address,value,transaction_hash,log_index,block_number"];
  const add = (token: string, from: string, to: string, value: bigint | string) =>
    rows.push(`${token},${from},${to},${value},0x0,${rows.length},1`);
  for (const [t, token] of tokens.entries())
    for (const [h, holder] of holders.entries())
      if (random.uniform() < (t % 3 === h % 3 ? 0.7 : 0.05)) {
        const written = h % 2 === 0 ? holder : `0x${holder.slice(2).toUpperCase()}`;
        add(token, ZERO, written, BigInt(1 + random.integer(1e9)) * 10n ** 60n);
      }
  add(burnt, ZERO, holders[0], 7n);
  add(burnt, holders[0], ZERO, 7n);
  add(tokens[0], debtor, holders[0], 5n * 10n ** 69n);
  add(tokens[0], ZERO, holders[1], "many");
  return rows;
}

beforeAll(async () => {
  served = await serveRecipe("tokens", { "tokens/token_transfers_1.csv": `${transfers().join("\n")}\n` });
});

afterAll(() => served?.close());

test("judges by errors and by lists, and holders' taste shows", () => {
  const { data, models } = served.run.result;
  expect(data.numItems).toBe(tokens.length); // the burnt token has no supply
  expect(data.numUsers).toBe(holders.length); // the debtor holds nothing
  const metric = (label: string, name: string) => models.find((model) => model.label === label)!.metrics.test![name]!;
  expect(metric("item-mean", "train-rmse")).toBeLessThan(metric("zero", "train-rmse"));
  expect(metric("als", "train-rmse")).toBeLessThan(metric("item-mean", "train-rmse"));
  expect(metric("als-held", "ndcg@5")).toBeGreaterThan(metric("popularity", "ndcg@5"));
});

test("answers in the article's shape, addresses in any case", async () => {
  expect((await served.ask("/readiness_check")).status).toBe(200);
  const { status, body } = await served.ask<Lists>(`/recommendation?user_address=${holders[4]}&num_recs=3`);
  expect(status).toBe(200);
  expect(body.token_addresses).toHaveLength(3);
  for (const token of body.token_addresses) expect(tokens).toContain(token);
  const { model } = await served.run.workspace.models.load("als");
  const [offsets, user] = [model.seen.offsets, model.users.indexOf(holders[4])!];
  const held = [...model.seen.indices.subarray(offsets[user], offsets[user + 1])].map((item) => model.items.idOf(item));
  expect(body.token_addresses.filter((token: string) => held.includes(token))).toEqual([]);
  const upper = `0x${holders[4].slice(2).toUpperCase()}`;
  expect((await served.ask(`/recommendation?user_address=${upper}&num_recs=3`)).body).toEqual(body);
  expect((await served.ask<Lists>(`/recommendation?user_address=${holders[4]}`)).body.token_addresses).toHaveLength(5);
});

test("refuses what it cannot answer, and says why", async () => {
  const stranger = await served.ask(`/recommendation?user_address=${address("e", 3)}`);
  expect(stranger.status).toBe(404);
  expect(stranger.body.detail).toContain(address("e", 3));
  expect((await served.ask(`/recommendation?user_address=${debtor}`)).status).toBe(404); // its balance is negative
  const nobody = await served.ask("/recommendation?num_recs=3");
  expect(nobody.status).toBe(400);
  expect(JSON.stringify(nobody.body)).toContain("user_address");
  for (const number of ["0", "-1", "many", "1.5"]) {
    const wrong = await served.ask(`/recommendation?user_address=${holders[4]}&num_recs=${number}`);
    expect([number, wrong.status]).toEqual([number, 400]);
    expect(JSON.stringify(wrong.body)).toContain("num_recs");
  }
});
