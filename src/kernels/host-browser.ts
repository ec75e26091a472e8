/**
 * Browser half of the kernels: fetches the modules that lie beside the compiled files.
 * Kernels run on the calling thread in short slices; a page that wants none of that on its main thread
 * calls the library from a Web Worker of its own.
 */
import type { KernelHost } from "./host-types.js";

export function browserHost(): KernelHost {
  return {
    name: "browser",
    cores: 1,
    memoryBytes: ((globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory ?? 4) * 2 ** 30,
    async readKernel(fileName) {
      // Literal addresses: bundlers find and copy the files by them.
      const address =
        fileName === "relaxed-unshared.wasm"
          ? new URL("../wasm/relaxed-unshared.wasm", import.meta.url)
          : new URL("../wasm/plain-unshared.wasm", import.meta.url);
      const response = await fetch(address);
      if (!response.ok) throw new Error(`${address.href} answered ${response.status}`);
      return response.arrayBuffer();
    },
  };
}
