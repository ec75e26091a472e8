/**
 * Where kernel modules come from: a source that fails or gives rubbish is a KernelError that says how to mend it,
 * and a later call tries again.
 */
import { readFile } from "node:fs/promises";
import { afterEach, expect, it } from "vitest";
import { CancelledError, KernelError } from "../../src/core/errors.js";
import { acceptsRelaxedSimd, bestVariant, loadKernels, setKernelSource } from "../../src/kernels/loader.js";
import { createTopKIndex } from "../../src/kernels/top-k.js";

const variant = { build: "plain", shared: true } as const;
const wasm = (fileName: string) => readFile(new URL(`../../dist/wasm/${fileName}`, import.meta.url));

afterEach(() => setKernelSource(undefined));

it("a missing module names the file and the command that makes it; the next call tries again", async () => {
  setKernelSource(() => Promise.reject(new Error("no such file")));
  const error = await loadKernels(variant).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(KernelError);
  expect(error.message).toBe("The numeric kernels in plain-shared.wasm cannot be read: no such file.");
  expect(error.hint).toContain("npm run build");
  setKernelSource(wasm);
  expect(await loadKernels(variant)).toBeInstanceOf(WebAssembly.Module);
});

it("a module that the engine rejects is a KernelError", async () => {
  setKernelSource(async () => Uint8Array.of(1, 2, 3));
  await expect(loadKernels(variant)).rejects.toThrow(KernelError);
});

it("takes a module that is compiled already, and compiles each only once", async () => {
  const compiled = await WebAssembly.compile(new Uint8Array(await wasm("plain-unshared.wasm")));
  let asked = 0;
  setKernelSource(async () => {
    asked++;
    return compiled;
  });
  const unshared = { build: "plain", shared: false } as const;
  expect(await Promise.all([loadKernels(unshared), loadKernels(unshared)])).toEqual([compiled, compiled]);
  expect(asked).toBe(1);
});

it("chooses what the engine accepts, with shared memory in Node", () => {
  expect(bestVariant()).toEqual({ build: acceptsRelaxedSimd() ? "relaxed" : "plain", shared: true });
});

it("a disposed index says so", async () => {
  const index = await createTopKIndex(new Float32Array(4), { numItems: 2, dimensions: 2, threads: 1 });
  index.dispose();
  index.dispose();
  await expect(index.search(new Float32Array(2), { topK: 1 })).rejects.toThrow(CancelledError);
});
