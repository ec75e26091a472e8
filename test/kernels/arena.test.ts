/**
 * What arenas and the thread pool promise: stopping between chunks, staying usable afterwards, clear errors for too much memory
 * and failing kernels, and giving memory back.
 */
import { describe, expect, it } from "vitest";
import { CancelledError, KernelError } from "../../src/core/errors.js";
import { createAlsSolver } from "../../src/kernels/als.js";
import { type ArenaOptions, createArena } from "../../src/kernels/arena.js";
import { createTopKIndex } from "../../src/kernels/top-k.js";
import { alsProblem, normals, skewedLengths } from "./als-fixture.js";
import { variants } from "./variants.js";

const small = { purpose: "A test", hint: "None.", blocks: { data: 4096 }, scratchBytes: 64 };

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error) => error,
  );
}

describe.each(variants.filter(({ options }) => options.build === "plain"))("stopping, $title", ({ options }) => {
  const problem = alsProblem({ lengths: skewedLengths(6000, 60), numItems: 900, factors: 128, seed: 4 }); // long enough to stop in the middle

  it("ends a sweep between chunks, after which the solver works as before", async () => {
    const als = await createAlsSolver(problem, options);
    const controller = new AbortController();
    const sweep = als.sweep("users", controller.signal);
    setImmediate(() => controller.abort());
    expect(await rejection(sweep)).toBeInstanceOf(CancelledError);
    expect(als.userFactors().subarray(-128)).toEqual(problem.userFactors.subarray(-128)); // not reached
    expect(await rejection(als.sweep("items", controller.signal))).toBeInstanceOf(CancelledError);
    expect(als.itemFactors()).toEqual(problem.itemFactors);
    await als.sweep("users");
    const fresh = await createAlsSolver(problem, options);
    await fresh.sweep("users");
    expect(als.userFactors()).toEqual(fresh.userFactors());
    als.dispose();
    fresh.dispose();
  });

  it("ends work on disposal", async () => {
    const als = await createAlsSolver(problem, options);
    const sweep = rejection(als.sweep("users"));
    setImmediate(() => als.dispose());
    expect(await sweep).toBeInstanceOf(CancelledError);
    expect(await rejection(als.sweep("users"))).toBeInstanceOf(CancelledError);
  });

  it("ends a search", async () => {
    const index = await createTopKIndex(normals(40_000 * 64, 1), { numItems: 40_000, dimensions: 64, ...options });
    const controller = new AbortController();
    const search = index.search(normals(4000 * 64, 2), { topK: 10, signal: controller.signal });
    setImmediate(() => controller.abort());
    expect(await rejection(search)).toBeInstanceOf(CancelledError);
    const again = await index.search(normals(64, 3), { topK: 3 });
    expect(again.itemIndex.every((item) => item >= 0)).toBe(true);
    index.dispose();
  });
});

it.each([true, false])("lets the event loop run during a sweep, shared memory %s", async (shared) => {
  const als = await createAlsSolver(alsProblem({ lengths: skewedLengths(6000, 60), numItems: 900, factors: 96, seed: 4 }), {
    threads: 1,
    shared,
  });
  let turns = 0;
  let running = true;
  const turn = () => {
    turns++;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await als.sweep("users");
  running = false;
  expect(turns).toBeGreaterThan(3);
  als.dispose();
});

describe("memory", () => {
  it("more than 4 GiB is refused before the start, with the size needed", async () => {
    const error = (await rejection(createArena({ ...small, blocks: { data: 5 * 2 ** 30 } }, { threads: 1 }))) as KernelError;
    expect(error).toBeInstanceOf(KernelError);
    expect(error.message).toBe("A test needs 5.0 GiB of kernel memory, but WebAssembly memory ends at 4 GiB.");
    expect(error.details.bytes).toBeGreaterThan(5 * 2 ** 30);
    const als = alsProblem({ lengths: [2, 1], numItems: 3, factors: 20_000, seed: 1 });
    expect(((await rejection(createAlsSolver(als, { threads: 1 }))) as KernelError).message).toMatch(
      /^ALS with 20000 factors for 2 users, 3 items and 3 pairs needs \d+\.\d GiB of kernel memory/,
    );
    expect(await rejection(createArena({ ...small, scratchBytes: 2 ** 31 }, { threads: 2, shared: true }))).toBeInstanceOf(KernelError);
  });

  it("works beyond 2 GiB, where byte offsets no longer fit a signed integer", async () => {
    const arena = await createArena({ ...small, blocks: { unused: 2 ** 31 + 2 ** 20, rows: 1024, partials: 1024 } }, { threads: 1 });
    arena.float32("rows", 256).fill(1);
    await arena.parallel("gramPartials", { count: 1, chunk: 1, args: [arena.pointers.rows, 16, 512, 16, arena.pointers.partials] });
    expect(arena.float32("partials", 16)).toEqual(new Float32Array(16).fill(16));
    arena.dispose();
  });

  it("a thousand arenas one after the other", async () => {
    const bandwidth = { count: 4, chunk: 1 };
    for (let k = 0; k < 1000; k++) {
      const arena = await createArena({ ...small, blocks: { data: 2 ** 20, sums: 64 } }, { threads: 2 });
      await arena.parallel("readBandwidth", { ...bandwidth, args: [arena.pointers.data, 1024, arena.pointers.sums] });
      arena.dispose();
    }
  });
});

describe.each<ArenaOptions>([
  { threads: 2, shared: true },
  { threads: 1, shared: false },
])("a kernel that fails, %o", (options) => {
  it("is a KernelError, and the threads go on", async () => {
    const arena = await createArena({ ...small, blocks: { data: 4096, sums: 64 } }, options);
    const outside = { count: 4, chunk: 1, args: [2 ** 31, 1024, arena.pointers.sums] };
    expect(await rejection(arena.parallel("readBandwidth", outside))).toBeInstanceOf(KernelError);
    expect(await rejection(arena.parallel("noSuchKernel", outside))).toBeInstanceOf(KernelError);
    arena.float32("data", 1024).fill(1);
    await arena.parallel("readBandwidth", { count: 4, chunk: 1, args: [arena.pointers.data, 1024, arena.pointers.sums] });
    expect(arena.float32("sums", 4)).toEqual(new Float32Array(4).fill(64)); // lane 0 of 64 vectors
    arena.dispose();
  });
});

it("many arenas at once share the threads", async () => {
  const results = await Promise.all(
    Array.from({ length: 12 }, async (_, k) => {
      const als = await createAlsSolver(alsProblem({ lengths: skewedLengths(200, 30), numItems: 60, factors: 16, seed: 2 }), {
        threads: 1 + (k % 4),
      });
      await als.sweep("users");
      const rows = als.userFactors();
      als.dispose();
      return rows;
    }),
  );
  for (const rows of results) expect(rows).toEqual(results[0]);
});
