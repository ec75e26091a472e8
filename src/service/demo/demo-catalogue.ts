/**
 * The catalogue of the demo shop: twelve categories with readable product names put together from words,
 * prices, a season and a repurchase interval. Called by `demo-shop.ts`.
 */
import type { Random } from "../../core/random.js";

interface Category {
  name: string;
  /** Days after which a buyer needs the product again; 0 = bought once. */
  repurchaseDays: number;
  /** Price range of the category in whole units of currency. */
  price: readonly [number, number];
  /** Month (0–11) in which it sells best, and how strongly (0 = the same all year). */
  peakMonth: number;
  seasonStrength: number;
  /** One word of each list makes a title. The first list is the style, by which customers' tastes differ. */
  styles: readonly string[];
  things: readonly string[];
  variants: readonly string[];
}

export const categories: readonly Category[] = [
  {
    name: "Coffee & Tea",
    repurchaseDays: 24,
    price: [4, 19],
    peakMonth: 10,
    seasonStrength: 0.3,
    styles: ["Dark Roast", "Light Roast", "Decaf", "Organic", "Herbal"],
    things: ["Coffee Beans", "Ground Coffee", "Espresso Pods", "Loose Leaf Tea", "Tea Bags"],
    variants: ["250 g", "500 g", "1 kg"],
  },
  {
    name: "Pantry",
    repurchaseDays: 30,
    price: [2, 12],
    peakMonth: 11,
    seasonStrength: 0.2,
    styles: ["Italian", "Wholegrain", "Gluten-Free", "Spicy", "Classic"],
    things: ["Pasta", "Olive Oil", "Tomato Sauce", "Muesli", "Rice", "Lentils"],
    variants: ["Small Pack", "Family Pack", "Single"],
  },
  {
    name: "Baby",
    repurchaseDays: 18,
    price: [5, 39],
    peakMonth: 2,
    seasonStrength: 0.1,
    styles: ["Newborn", "Sensitive", "Everyday", "Eco", "Overnight"],
    things: ["Nappies", "Wipes", "Baby Food", "Formula Milk", "Bath Foam"],
    variants: ["Starter Pack", "Value Pack", "Twin Pack"],
  },
  {
    name: "Pets",
    repurchaseDays: 26,
    price: [3, 45],
    peakMonth: 5,
    seasonStrength: 0.1,
    styles: ["Puppy", "Senior Dog", "Kitten", "Indoor Cat", "Bird"],
    things: ["Dry Food", "Treats", "Toy", "Bed", "Travel Box"],
    variants: ["Small", "Medium", "Large"],
  },
  {
    name: "Household",
    repurchaseDays: 40,
    price: [2, 16],
    peakMonth: 3,
    seasonStrength: 0.3,
    styles: ["Lemon", "Lavender", "Fragrance-Free", "Eco", "Extra Strong"],
    things: ["Laundry Liquid", "Dishwasher Tabs", "Surface Spray", "Sponges", "Bin Bags"],
    variants: ["Refill", "Standard", "Bulk"],
  },
  {
    name: "Beauty",
    repurchaseDays: 55,
    price: [4, 49],
    peakMonth: 11,
    seasonStrength: 0.4,
    styles: ["Aloe", "Rose", "Charcoal", "Vitamin C", "Oat"],
    things: ["Shampoo", "Face Cream", "Body Lotion", "Hand Soap", "Lip Balm"],
    variants: ["Travel Size", "200 ml", "400 ml"],
  },
  {
    name: "Garden",
    repurchaseDays: 0,
    price: [3, 89],
    peakMonth: 4,
    seasonStrength: 0.9,
    styles: ["Balcony", "Vegetable", "Rose", "Lawn", "Greenhouse"],
    things: ["Seeds", "Planter", "Fertiliser", "Hand Trowel", "Watering Can"],
    variants: ["Mini", "Classic", "Pro"],
  },
  {
    name: "Kitchen",
    repurchaseDays: 0,
    price: [6, 129],
    peakMonth: 11,
    seasonStrength: 0.6,
    styles: ["Cast Iron", "Stainless", "Ceramic", "Bamboo", "Copper"],
    things: ["Frying Pan", "Mixing Bowl", "Knife Block", "Storage Jar", "Baking Tray"],
    variants: ["Small", "Medium", "Large"],
  },
  {
    name: "Toys",
    repurchaseDays: 0,
    price: [5, 79],
    peakMonth: 11,
    seasonStrength: 1,
    styles: ["Wooden", "Dinosaur", "Space", "Farm", "Princess"],
    things: ["Puzzle", "Building Set", "Plush Friend", "Board Game", "Activity Book"],
    variants: ["for Toddlers", "for Ages 4+", "for Ages 8+"],
  },
  {
    name: "Sports",
    repurchaseDays: 0,
    price: [7, 149],
    peakMonth: 0,
    seasonStrength: 0.5,
    styles: ["Running", "Yoga", "Cycling", "Climbing", "Swimming"],
    things: ["Shirt", "Bottle", "Bag", "Training Band", "Towel"],
    variants: ["Light", "Core", "Elite"],
  },
  {
    name: "Stationery",
    repurchaseDays: 75,
    price: [1, 29],
    peakMonth: 8,
    seasonStrength: 0.7,
    styles: ["Pastel", "Recycled", "Leather", "Dotted", "Vintage"],
    things: ["Notebook", "Pen Set", "Planner", "Sticky Notes", "Pencil Case"],
    variants: ["A6", "A5", "A4"],
  },
  {
    name: "Home Decor",
    repurchaseDays: 0,
    price: [5, 99],
    peakMonth: 10,
    seasonStrength: 0.7,
    styles: ["Nordic", "Boho", "Industrial", "Coastal", "Rustic"],
    things: ["Candle", "Cushion", "Picture Frame", "Vase", "Table Lamp"],
    variants: ["in White", "in Sage", "in Charcoal"],
  },
];

export interface Product {
  id: string;
  title: string;
  /** Index into `categories`. */
  category: number;
  /** Index into the category's styles. */
  style: number;
  /** Price in cents. */
  cents: number;
  /** How attractive it is beside the others of its category; a long tail. */
  appeal: number;
}

/**
 * `count` products, spread evenly over the categories, each with a title of its own.
 * At most as many as there are titles (about 900).
 */
export function createCatalogue(count: number, random: Random): Product[] {
  const drafts = categories.map((category, c) => {
    const titles = category.styles.flatMap((style, s) =>
      category.things.flatMap((thing) =>
        category.variants.map((variant) => ({ title: `${style} ${thing} ${variant}`, category: c, style: s })),
      ),
    );
    return random.shuffle(titles);
  });
  const chosen = Array.from({ length: count }, (_, p) => drafts[p % categories.length][Math.floor(p / categories.length)]);
  return random.shuffle(chosen).map((draft, p) => {
    const [least, most] = categories[draft.category].price;
    const euros = Math.floor(least + (most - least) * random.uniform() ** 2); // cheap ones are more common
    return {
      id: `P${String(p + 1).padStart(4, "0")}`,
      ...draft,
      cents: euros * 100 + 99,
      appeal: 1 / (1 + random.integer(40)) ** 0.8,
    };
  });
}

/** The most products a catalogue can have. */
export const largestCatalogue =
  categories.length * Math.min(...categories.map((c) => c.styles.length * c.things.length * c.variants.length));
