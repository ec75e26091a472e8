import { describe, expect, test } from "vitest";
import { type ColumnSample, guessColumns, guessItemProperties } from "../../src/data/readers/guess-columns.js";
import type { ColumnChoice } from "../../src/data/readers/read-dataset.js";
import { expectError } from "../support/errors.js";

/** Columns from a header and rows of cells. */
function columns(header: string, ...rows: string[]): ColumnSample[] {
  const cells = rows.map((row) => row.split(","));
  return header.split(",").map((name, c) => ({ name, type: "text", values: cells.map((row) => row[c] || null) }));
}
const guess = (samples: ColumnSample[], choice?: ColumnChoice, named?: boolean) => guessColumns(samples, choice, named).columns;

describe("guessing columns by name", () => {
  test.each([
    [
      "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
      "1,85A,mug,6,2010-12-01 08:26,2.5,17850,UK",
      { user: "CustomerID", item: "StockCode", timestamp: "InvoiceDate", weight: "Quantity", basket: "InvoiceNo" },
    ],
    [
      "userId,movieId,rating,timestamp",
      "1,31,2.5,1260759144",
      { user: "userId", item: "movieId", weight: "rating", timestamp: "timestamp" },
    ],
    ["userID,artistID,weight", "2,51,13883", { user: "userID", item: "artistID", weight: "weight" }],
    ["User-ID,ISBN,Book-Rating", "276744,038550120X,7", { user: "User-ID", item: "ISBN", weight: "Book-Rating" }],
    ["member account,sku,created_at,count", "a,b,2020-01-01,3", { item: "sku", timestamp: "created_at", weight: "count" }],
    ["session_id,item_id,event_time", "s1,i1,2020-01-01T00:00:00Z", { item: "item_id", timestamp: "event_time", basket: "session_id" }],
    [
      "user_id:token,item_id:token,timestamp:float",
      "u,i,1600000000",
      { user: "user_id:token", item: "item_id:token", timestamp: "timestamp:float" },
    ],
    [
      "event_time,event_type,product_id,category_id,brand,price,user_id,user_session",
      "2019-10-01 00:00:00 UTC,view,44600062,21,x,35.79,541312140,72d",
      { user: "user_id", item: "product_id", timestamp: "event_time" },
    ],
    [
      "reviewerID,asin,reviewText,overall,unixReviewTime",
      "A2,B00,good,5,1370044800",
      { user: "reviewerID", item: "asin", weight: "overall", timestamp: "unixReviewTime" },
    ],
    [
      "order_id,customer_id,product_id,quantity,price,order_date",
      "1,2,3,4,5.5,2020-01-01",
      { user: "customer_id", item: "product_id", weight: "quantity", timestamp: "order_date", basket: "order_id" },
    ],
  ])("%s", (header, row, expected) => {
    const samples = columns(header, row, row);
    const taken = header.startsWith("member") ? guess(samples, { user: "member account" }) : guess(samples);
    expect(taken).toEqual(header.startsWith("member") ? { ...expected, user: "member account" } : expected);
  });

  test("contents must fit the name", () => {
    const samples = columns("user,item,date,rating", "u1,i1,soon,good", "u2,i2,later,bad");
    expect(guess(samples)).toEqual({ user: "user", item: "item" });
  });

  test("what the caller says counts, null included, and case is forgiven", () => {
    const samples = columns("user_id,buyer,item_id,rating", "1,2,3,4", "2,3,4,5");
    expect(guess(samples, { user: "BUYER", weight: null })).toEqual({ user: "buyer", item: "item_id" });
  });
});

describe("guessing columns by contents", () => {
  const rows = ["196,242,3,881250949", "186,302,3,891717742", "22,377,1,878887116", "22,242,5,878887117"];
  test("numbers without a header", () => {
    const { columns: taken, guessed } = guessColumns(columns("column1,column2,column3,column4", ...rows), {}, false);
    expect(taken).toEqual({ user: "column1", item: "column2", weight: "column3", timestamp: "column4" });
    for (const { why } of guessed) expect(why.length).toBeGreaterThan(10);
  });

  test("a row number is no id", () => {
    expect(guess(columns("column1,column2,column3", "0,a,x", "1,a,y", "2,b,x"), {}, false)).toEqual({ user: "column2", item: "column3" });
  });

  test("the only other id completes what names say", () => {
    expect(guess(columns("customer,thing,when", "c1,t1,2020-01-01", "c2,t2,2020-01-02"))).toEqual({
      user: "customer",
      item: "thing",
      timestamp: "when",
    });
  });

  test("nothing is taken where it is open", async () => {
    await expectError(() => guess(columns("alpha,beta,gamma", "a,b,c", "b,c,d")), "E_CONFIG", /"alpha", "beta", "gamma".*columns\.item/s);
    await expectError(() => guess(columns("item_id,alpha,beta", "a,b,c", "b,c,d")), "E_CONFIG", /for the user.*columns\.user/s);
    await expectError(() => guess(columns("user_id,item_id", "a,b"), { item: null }), "E_CONFIG", /no reading without an item/);
    await expectError(() => guess(columns("user_id,item_id", "a,b"), { user: null }), "E_CONFIG", /a user or a basket/);
    await expectError(() => guess(columns("user_id,item_id", "a,b"), { item: "item" }), "E_CONFIG", /Did you mean item_id/);
  });
});

test("item properties: a title that is text, a price that is a number, no column twice", () => {
  const samples = columns(
    "item_id,name,price,category,description",
    "i1,Lamp,9.5,Home,nice",
    "i2,Chair,on request,Home,soft",
    "i3,Sofa,99,Home,big",
  );
  expect(guessItemProperties(samples, { item: "item_id" }).properties).toEqual({ title: "name", category: "category" });
  expect(guessItemProperties(columns("name,unit price", "Lamp,9.5", "Sofa,10"), { item: "name" }).properties).toEqual({
    price: "unit price",
  });
});
