/**
 * The kernel variants that every kernel suite runs: {plain, relaxed} × {shared, unshared} × threads.
 * Node 20 accepts the relaxed build only behind a V8 flag, which is set here for the test process;
 * where an engine still refuses it, that is printed and the variants are left out.
 */
import v8 from "node:v8";
import type { ArenaOptions } from "../../src/kernels/arena.js";
import { acceptsRelaxedSimd, type KernelBuild } from "../../src/kernels/loader.js";

if (!acceptsRelaxedSimd()) v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
if (!acceptsRelaxedSimd()) console.warn("kernels: the relaxed build is skipped, this engine does not accept relaxed SIMD");

export const builds: KernelBuild[] = acceptsRelaxedSimd() ? ["plain", "relaxed"] : ["plain"];

/** Every environment a build can run in. */
export const environments: Omit<ArenaOptions, "build">[] = [
  { shared: true, threads: 1 },
  { shared: true, threads: 2 },
  { shared: false, threads: 1 },
];

export const variants: { title: string; options: Required<ArenaOptions> }[] = builds.flatMap((build) =>
  environments.map(({ shared, threads }) => ({
    title: `${build}, ${shared ? "shared" : "unshared"}, threads ${threads}`,
    options: { build, shared: shared!, threads },
  })),
);
