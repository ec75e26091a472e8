/**
 * The demo shop: a year of orders that looks like one, made from a seed. Customers belong to households with tastes,
 * prefer a style within each category, come more often at weekends and before Christmas, and buy consumables again
 * when they run out. The same options give the same bytes.
 */
import { ConfigError, throwIfCancelled } from "../../core/errors.js";
import { createRandom, type Random } from "../../core/random.js";
import { categories, createCatalogue, largestCatalogue, type Product } from "./demo-catalogue.js";

export interface DemoShopOptions {
  /** Default 2000. */
  customers?: number;
  /** Default 800. */
  products?: number;
  /** Default 7. */
  seed?: number;
  signal?: AbortSignal;
}

export const demoColumns = ["order_id", "customer_id", "product_id", "title", "category", "price", "quantity", "ordered_at"] as const;

const DAY = 86_400_000;
const DAYS = 365;
const START = Date.UTC(2024, 9, 1); // to 2025-09-30
const HOUSEHOLDS = 10;
/** How often a visit's line is a consumable that has run out, when there is one. */
const RESTOCK = 0.6;
/** How much more a customer likes the products of the preferred style. */
const STYLE_TASTE = 12;

interface Customer {
  id: string;
  /** Weight of each category, summing to 1. */
  tastes: number[];
  /** Preferred style in each category. */
  styles: number[];
  /** First day in the shop. */
  since: number;
  /** Expected visits per day. */
  rate: number;
  /** Day on which each bought consumable runs out, by product index. */
  runsOut: Map<number, number>;
  /** Things bought once, not wanted again soon. */
  owned: Set<number>;
}

interface Line {
  customer: string;
  product: Product;
  quantity: number;
  time: number;
}

/** The orders as CSV with a header (`demoColumns`), by time. About 70,000 lines with the defaults; half a second. */
export function createDemoOrders({ customers = 2000, products = 800, seed = 7, signal }: DemoShopOptions = {}): string {
  if (products > largestCatalogue || products < categories.length) {
    throw new ConfigError(`The demo shop cannot have ${products} products.`, { hint: `Give ${categories.length} to ${largestCatalogue}.` });
  }
  const random = createRandom(seed);
  const catalogue = createCatalogue(products, random);
  const pickers = categories.map((_, c) => createPicker(catalogue, c));
  const people = createCustomers(customers, random);
  const rows = [demoColumns.join(",")];
  let order = 100_000;
  for (let day = 0; day < DAYS; day++) {
    throwIfCancelled(signal);
    const visits = people.filter((person) => day >= person.since && random.uniform() < person.rate * busyness(day));
    const baskets = visits.map((person) => ({ person, time: START + day * DAY + timeOfDay(random) }));
    baskets.sort((a, b) => a.time - b.time);
    for (const { person, time } of baskets) {
      order++;
      for (const line of shop(person, { day, time, catalogue, pickers, random })) rows.push(csvRow(order, line));
    }
  }
  return `${rows.join("\n")}\n`;
}

function createCustomers(count: number, random: Random): Customer[] {
  const households = Array.from({ length: HOUSEHOLDS }, () => {
    const weights = categories.map(() => 0.02 + 0.1 * random.uniform() ** 3);
    for (let favourites = 0; favourites < 3; favourites++) weights[random.integer(weights.length)] += 0.5 + 0.5 * random.uniform();
    return { weights, styles: categories.map(({ styles }) => random.integer(styles.length)) };
  });
  return Array.from({ length: count }, (_, c) => {
    const household = households[random.integer(HOUSEHOLDS)];
    const weights = household.weights.map((weight) => weight * (0.5 + random.uniform()));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return {
      id: `C${String(10_001 + c)}`,
      tastes: weights.map((weight) => weight / sum),
      styles: household.styles.map((style, k) => (random.uniform() < 0.7 ? style : random.integer(categories[k].styles.length))),
      since: random.uniform() < 0.6 ? 0 : random.integer(DAYS - 40),
      rate: Math.min(0.3, 0.025 * Math.exp(0.9 * random.normal()) + 0.015), // a few come weekly, most monthly
      runsOut: new Map(),
      owned: new Set(),
    };
  });
}

/** Weekends are busier, and so are the weeks before Christmas. */
function busyness(day: number): number {
  const date = new Date(START + day * DAY);
  const weekday = [1.15, 0.85, 0.85, 0.9, 0.95, 1.05, 1.3][date.getUTCDay()];
  const untilChristmas = (Date.UTC(date.getUTCFullYear(), 11, 24) - date.getTime()) / DAY;
  return weekday * (untilChristmas >= 0 && untilChristmas < 40 ? 1.5 : 1);
}

/** Milliseconds of the day in whole seconds, around noon and in the evening. */
function timeOfDay(random: Random): number {
  const hour = random.uniform() < 0.4 ? 12 + 2 * random.normal() : 19 + 1.5 * random.normal();
  return Math.floor(Math.min(23.99, Math.max(6, hour)) * 3600) * 1000;
}

interface Visit {
  day: number;
  time: number;
  catalogue: readonly Product[];
  pickers: readonly Picker[];
  random: Random;
}

function shop(person: Customer, { day, time, catalogue, pickers, random }: Visit): Line[] {
  const size = 1 + Math.floor(-Math.log(1 - random.uniform() * 0.98) * 1.7);
  const due = [...person.runsOut].filter(([, end]) => end <= day).map(([product]) => product);
  random.shuffle(due);
  const bought = new Set<number>();
  const month = new Date(time).getUTCMonth();
  for (let line = 0; line < size; line++) {
    const restock = due.length > 0 && random.uniform() < RESTOCK ? due.pop()! : -1;
    const product = restock >= 0 ? restock : discover(person, { month, pickers, random });
    if (bought.has(product) || person.owned.has(product)) continue;
    bought.add(product);
    const { repurchaseDays } = categories[catalogue[product].category];
    if (repurchaseDays === 0) person.owned.add(product);
    else if (person.runsOut.has(product) || random.uniform() < 0.5) {
      person.runsOut.set(product, day + repurchaseDays * (0.7 + 0.6 * random.uniform())); // liked: bought again
    }
  }
  return [...bought].map((product) => ({
    customer: person.id,
    product: catalogue[product],
    quantity: random.uniform() < 0.75 ? 1 : 2 + random.integer(3),
    time,
  }));
}

/** A product by the customer's tastes, the season, and its appeal and style. */
function discover(person: Customer, { month, pickers, random }: { month: number; pickers: readonly Picker[]; random: Random }): number {
  const weights = person.tastes.map((taste, c) => taste * season(c, month));
  const category = pick(cumulative(weights), random);
  return pickers[category](person.styles[category], random);
}

/** 1 − strength/2 … 1 + strength over the year, highest in the peak month. */
function season(category: number, month: number): number {
  const { peakMonth, seasonStrength } = categories[category];
  const distance = Math.min((month - peakMonth + 12) % 12, (peakMonth - month + 12) % 12);
  return 1 + seasonStrength * (distance === 0 ? 1 : distance === 1 ? 0.5 : distance > 3 ? -0.5 : 0);
}

type Picker = (style: number, random: Random) => number;

/** Draws products of one category with weight appeal × taste for the style. */
function createPicker(catalogue: readonly Product[], category: number): Picker {
  const members = catalogue.flatMap((product, p) => (product.category === category ? [p] : []));
  const byStyle = categories[category].styles.map((_, style) =>
    cumulative(members.map((p) => catalogue[p].appeal * (catalogue[p].style === style ? STYLE_TASTE : 1))),
  );
  return (style, random) => members[pick(byStyle[style], random)];
}

function cumulative(weights: readonly number[]): number[] {
  let sum = 0;
  return weights.map((weight) => {
    sum += weight;
    return sum;
  });
}

/** An index with probability proportional to its weight; binary search in the running sums. */
function pick(sums: readonly number[], random: Random): number {
  const wanted = random.uniform() * sums[sums.length - 1];
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle] > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

function csvRow(order: number, { customer, product, quantity, time }: Line): string {
  const { id, title, category, cents } = product;
  const orderedAt = new Date(time).toISOString().slice(0, 19).replace("T", " ");
  return [order, customer, id, title, categories[category].name, (cents / 100).toFixed(2), quantity, orderedAt].join(",");
}
