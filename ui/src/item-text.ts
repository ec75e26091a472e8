/**
 * How an item is shown: its properties have any names, so the likeliest title, price and category are picked
 * and the rest listed behind them.
 */
import type { Item } from "../../src/server/api-types.js";

export interface ItemText {
  title: string;
  /** Absent when the title is the id. */
  id: string | undefined;
  category: string | undefined;
  price: string | undefined;
  others: { name: string; value: string }[];
}

const titleNames = ["title", "name", "description", "product", "label"];
const categoryNames = ["category", "genre", "genres", "department", "type", "group"];
const priceNames = ["price", "unitprice", "unit_price", "unit price"];

export function itemText({ itemId, properties = {} }: Pick<Item, "itemId" | "properties">): ItemText {
  const present = Object.entries(properties).filter((entry): entry is [string, string | number] => entry[1] !== null && entry[1] !== "");
  const pick = (names: string[]) => present.find(([name]) => names.includes(name.toLowerCase()));
  const title = pick(titleNames);
  const category = pick(categoryNames);
  const price = pick(priceNames);
  return {
    title: title ? String(title[1]) : itemId,
    id: title ? itemId : undefined,
    category: category && String(category[1]),
    price: price && (typeof price[1] === "number" ? price[1].toFixed(2) : price[1]),
    others: present
      .filter((entry) => entry !== title && entry !== category && entry !== price)
      .slice(0, 3)
      .map(([name, value]) => ({ name, value: String(value) })),
  };
}

/** Three significant digits, without exponents for large scores. */
export function scoreText(score: number): string {
  return Math.abs(score) >= 1000 ? Math.round(score).toLocaleString("en") : score.toPrecision(3);
}
