/**
 * `tastemaker/browser` as one script for pages without a build step and without a server: it sets the global `tastemaker`.
 * The kernels are inside, because a page that was opened from disk may not fetch them. Bundled by scripts/build-bundle.mjs.
 */
import * as tastemaker from "tastemaker/browser";
import plain from "tastemaker/kernels/plain-unshared.wasm";
import relaxed from "tastemaker/kernels/relaxed-unshared.wasm";

const kernels = { "plain-unshared.wasm": plain, "relaxed-unshared.wasm": relaxed };

tastemaker.setKernelSource(async (fileName) => Uint8Array.from(atob(kernels[fileName]), (character) => character.charCodeAt(0)));

globalThis.tastemaker = tastemaker;
