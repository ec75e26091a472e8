import { expect } from "vitest";
import { type ErrorCode, TastemakerError } from "../../src/core/errors.js";

/** Awaits the failure and checks its code, its sentence and that there is a way to mend it (unless cancelled). */
export async function expectError(work: (() => unknown) | Promise<unknown>, code: ErrorCode, message?: RegExp): Promise<TastemakerError> {
  let caught: unknown;
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    caught = error;
  }
  expect(caught, "expected an error").toBeInstanceOf(TastemakerError);
  const error = caught as TastemakerError;
  expect(error.code).toBe(code);
  if (message) expect(error.message + (error.hint ? ` ${error.hint}` : "")).toMatch(message);
  return error;
}
