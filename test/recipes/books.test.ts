/** recipes/books.yaml on made-up ratings in Latin-1, with editions to merge, titles encoded twice and ratings out of scale. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import type { Problem } from "../../src/server/api-types.js";
import { type ServedRecipe, serveRecipe } from "../support/served-recipe.js";
import { shortTraining } from "../support/short-training.js";

const [READERS, BOOKS] = [110, 48];
const isbn = (book: number) => `0${String(100_000_000 + book)}`;
/** Editions of the first two books. */
const paperback = "044021145X";
const translation = "3442411459";

interface Book {
  isbn: string;
  title: string | null;
  author: string | null;
  score: number;
}

let served: ServedRecipe;
const ask = (isbns: unknown) => served.ask<Book[] & Problem>("/recommend", { isbns });

/** Readers like every third book; the last one likes two books only. */
function ratings(): string {
  const random = createRandom(6);
  const rows = ["User-ID,ISBN,Book-Rating"];
  for (let reader = 0; reader < READERS; reader++) {
    for (let book = 0; book < BOOKS; book++)
      if (random.uniform() < (book % 3 === reader % 3 ? 0.6 : 0.05)) {
        const edition = book === 0 && reader % 4 === 0 ? paperback : isbn(book);
        rows.push(`${reader},${edition},${5 + random.integer(6)}`);
      }
    rows.push(`${reader},${isbn((reader % 3) + 3 * random.integer(10))},2`);
  }
  rows.push(`0,${paperback},10`, `0,${isbn(0)},7`); // one book, by the better of both
  rows.push(`0,${isbn(40)},11`, `0,${isbn(41)},0`, `0,${isbn(43)},ten`, `0,${isbn(44)},`);
  rows.push(`${READERS},${isbn(0)},9`, `${READERS},${isbn(1)},9`);
  return `${rows.join("\n")}\n`;
}

/** Bytes of Latin-1, not of UTF-8: every letter is one byte. */
function books(): Uint8Array {
  const twice = (text: string) => Buffer.from(text).toString("latin1");
  const rows = ["ISBN,Book-Title,Book-Author,Year-Of-Publication,Book-Publisher"];
  rows.push(`${isbn(0)},A Time to Kill,JOHN GRISHAM,1992,Dell`, `${paperback},"A Time to  Kill!",John Grisham,1992,Island`);
  rows.push(`${isbn(1)},Die fünfte Frau.,Henning Mankell,1998,Zsolnay`);
  rows.push(`${translation},${twice("Die fünfte Frau")},Henning Mankell,2000,dtv`);
  rows.push(`${isbn(2)},${twice(twice("Cien Años de Soledad"))},${twice("Gabriel García Márquez")},1967,x`);
  rows.push(
    `${isbn(3)},Das Schweigen der L${twice("Ã")}?${twice("Â")}¤mmer,Thomas Harris,1988,x`.replace(`${twice("Ã")}?${twice("Â")}`, "Ã?Â"),
  );
  for (let book = 4; book < BOOKS; book++) rows.push(`${isbn(book)},"Book, number ${book}",Writer ${book % 5},2000,x`);
  return Buffer.from(`${rows.join("\n")}\n`, "latin1");
}

beforeAll(async () => {
  served = await serveRecipe(
    "books",
    { "bookcrossing/BX-Ratings.csv": ratings(), "bookcrossing/BX-Books.csv": books() },
    {},
    shortTraining,
  );
});

afterAll(() => served?.close());

test("merges editions, and counts what cleaning left out", () => {
  const { numUsers, numItems, report } = served.run.result.data;
  expect([numUsers, numItems]).toEqual([READERS, BOOKS]);
  const counts = Object.fromEntries(report.rejected.map(({ reason, count }) => [reason, count]));
  expect(counts["rating is no number from 1 to 10"]).toBe(4);
  expect(counts["reader of too few books"]).toBe(2);
  expect(counts["rating below the minimum"]).toBeGreaterThan(10);
});

test("judges five draws of unseen readers, each model beside the article's", () => {
  const { models, champion } = served.run.result;
  const better = models.find(({ label }) => label === champion)!.againstBaseline!.test!;
  expect(better).toMatchObject({ baseline: "nearest-user", metric: "recall@20", level: 0.95 });
  expect(better.low).toBeGreaterThan(0);
});

test.each([
  ["time to kill", isbn(0), "A Time to Kill", "JOHN GRISHAM"],
  [paperback, isbn(0), "A Time to Kill", "JOHN GRISHAM"],
  ["fünfte", isbn(1), "Die fünfte Frau.", "Henning Mankell"],
  ["soledad", isbn(2), "Cien Años de Soledad", "Gabriel García Márquez"],
  ["schweigen", isbn(3), "Das Schweigen der Lämmer", "Thomas Harris"],
])("finds %s as one book, its letters mended", async (q, id, title, author) => {
  const { body } = await served.ask<Book[]>(`/books?q=${encodeURIComponent(q)}`);
  expect(body).toEqual([{ isbn: id, title, author }]);
});

test("recommends books of the same taste without the three, whichever edition names them", async () => {
  const { status, body } = await ask([paperback, isbn(6), isbn(9)]);
  expect(status).toBe(200);
  expect(body).toHaveLength(20);
  expect(body.filter(({ isbn: id }) => [isbn(0), paperback, isbn(6), isbn(9)].includes(id))).toEqual([]);
  expect(body.slice(0, 8).filter(({ isbn: id }) => (Number(id) - 100_000_000) % 3 === 0).length).toBeGreaterThanOrEqual(6);
  expect(body).toEqual((await ask([isbn(0), isbn(6), isbn(9)])).body);
});

test.each([
  ["two favourites", [isbn(3), isbn(6)], /isbns must have exactly 3 entries, but has 2/],
  ["a repeated favourite", [isbn(3), isbn(6), isbn(3)], /isbns\[2\].*must not repeat/],
  ["two editions of a book", [isbn(0), isbn(6), paperback], /isbns\[2\] is "044021145X", the same item as isbns\[0\], as "0100000000"/],
  ["an unknown ISBN", [isbn(3), isbn(6), "0000000000"], /isbns names an unknown item: "0000000000"/],
  ["a value that is no id", [isbn(3), isbn(6), null], /isbns\[2\]/],
])("%s is refused with a reason", async (_, isbns, message) => {
  const { status, body } = await ask(isbns);
  expect(status).toBe(400);
  expect(body.detail).toMatch(message);
});
