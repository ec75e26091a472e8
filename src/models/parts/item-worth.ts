/**
 * What a purchase of an item says about the next one, against other items: worth(i) = loyalty(i)^c · demand(i)^d.
 *   demand(i) = (1 + events of i in the last days) / (1 + mean over items): what sells now is bought again sooner
 * Loyalty: parts/item-loyalty.ts. Called by repeat.
 */
import type { Interactions } from "../../core/interactions.js";
import { itemPopularity } from "../popularity.js";
import { itemLoyalty } from "./item-loyalty.js";

export interface WorthParams {
  loyaltyExponent: number;
  demandExponent: number;
  demandDays: number;
}

/** By item; undefined when both exponents are 0, which says that all count alike. */
export function itemWorth(train: Interactions, { loyaltyExponent, demandExponent, demandDays }: WorthParams): Float32Array | undefined {
  if (loyaltyExponent === 0 && demandExponent === 0) return undefined;
  const worth =
    loyaltyExponent > 0 ? itemLoyalty(train).map((loyalty) => loyalty ** loyaltyExponent) : new Float32Array(train.numItems).fill(1);
  if (demandExponent === 0) return worth;
  const recent = itemPopularity(train, { count: "events", windowDays: demandDays });
  const mean = recent.reduce((sum, count) => sum + count, 0) / recent.length;
  return worth.map((value, item) => value * ((1 + recent[item]) / (1 + mean)) ** demandExponent);
}
