/**
 * Picks and compiles the kernel module: `relaxed` (fused multiply-add) where the engine takes it, else `plain`;
 * `shared` memory where there are threads, else `unshared`. Each of the four is compiled once per process.
 * Called by `arena.ts`.
 */
import { KernelError } from "../core/errors.js";
import { kernelHost } from "./host.js";

/** Results of the two builds differ in the last bits; `plain` is the portable one. */
export type KernelBuild = "plain" | "relaxed";

export interface KernelVariant {
  build: KernelBuild;
  shared: boolean;
}

/** Gives the module `fileName` (such as "plain-shared.wasm"), as bytes or already compiled. */
export type KernelSource = (fileName: string) => Promise<BufferSource | WebAssembly.Module>;

let kernelSource: KernelSource | undefined;
const modules = new Map<string, Promise<WebAssembly.Module>>();

/**
 * Says where kernel modules come from, for bundles and edge run times that cannot read dist/wasm by themselves.
 * Call it before the first use; undefined goes back to the default.
 */
export function setKernelSource(source: KernelSource | undefined): void {
  kernelSource = source;
  modules.clear();
}

// (module (func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd))
const relaxedProbe = Uint8Array.from([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b, 0x03, 0x02, 0x01, 0x00, 0x0a,
  0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x85, 0x02, 0x0b,
]);

/** Whether this engine accepts the relaxed build. */
export function acceptsRelaxedSimd(): boolean {
  return WebAssembly.validate(relaxedProbe);
}

/** The variant used where the caller does not choose. */
export function bestVariant(): KernelVariant {
  return { build: acceptsRelaxedSimd() ? "relaxed" : "plain", shared: kernelHost().createThread !== undefined };
}

/** The compiled module of a variant. Throws KernelError when it is missing or the engine rejects it. */
export function loadKernels({ build, shared }: KernelVariant): Promise<WebAssembly.Module> {
  const fileName = `${build}-${shared ? "shared" : "unshared"}.wasm`;
  let module = modules.get(fileName);
  if (module === undefined) {
    module = compile(fileName);
    modules.set(fileName, module);
    module.catch(() => modules.delete(fileName)); // a later call tries again
  }
  return module;
}

async function compile(fileName: string): Promise<WebAssembly.Module> {
  let source: BufferSource | WebAssembly.Module;
  try {
    source = await (kernelSource ?? kernelHost().readKernel)(fileName);
  } catch (cause) {
    throw new KernelError(`The numeric kernels in ${fileName} cannot be read: ${messageOf(cause)}.`, {
      hint: "In the repository run `npm run build`; in a bundle copy dist/wasm along, or call setKernelSource.",
      cause,
    });
  }
  if (source instanceof WebAssembly.Module) return source;
  try {
    return await WebAssembly.compile(source);
  } catch (cause) {
    throw new KernelError(`This JavaScript engine does not accept the numeric kernels in ${fileName}: ${messageOf(cause)}.`, {
      hint: "WebAssembly SIMD is needed: Node 20.19 or newer, or a browser from 2023 on.",
      cause,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
