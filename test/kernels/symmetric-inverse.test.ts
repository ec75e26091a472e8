/**
 * The tiled inverse against its float64 twin in every variant: all sizes to 70 in one tile and across tiles of 16, the product
 * with the matrix, and the rows that are not positive definite. Tolerance: 1e-4 of the largest entry (condition numbers near 100).
 */
import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { type ArenaOptions, createArena } from "../../src/kernels/arena.js";
import { referenceInverse } from "../../src/kernels/reference/symmetric-inverse.js";
import { inverseBlocks, inverseScratchBytes, invertTiles, layOutTiles } from "../../src/kernels/symmetric-inverse.js";
import { expectError } from "../support/errors.js";
import { relativeError } from "./als-fixture.js";
import { builds, environments, variants } from "./variants.js";

/** M Mᵀ / size + ridge for a random M: symmetric positive definite, row-major. */
function definite(size: number, seed: number, ridge = 0.1): Float32Array {
  const random = createRandom(seed);
  const factor = Float32Array.from({ length: size * size }, () => random.normal());
  const matrix = new Float32Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      let sum = i === j ? ridge : 0;
      for (let k = 0; k < size; k++) sum += (factor[i * size + k] * factor[j * size + k]) / size;
      matrix[i * size + j] = sum;
    }
  return matrix;
}

/** Row-major −A⁻¹ as the kernel left it, and the row it failed at. */
async function invert(matrix: Float32Array, size: number, options: ArenaOptions & { tileSize?: number; signal?: AbortSignal }) {
  const layout = layOutTiles(size, options.tileSize);
  const { tileSize, paddedSize } = layout;
  const plan = { purpose: "A test", hint: "", blocks: inverseBlocks(layout), scratchBytes: inverseScratchBytes(layout) };
  const arena = await createArena(plan, options);
  const tiles = arena.float32("tiles", plan.blocks.tiles / 4);
  const placeOf = (i: number, j: number) => {
    const [row, column] = [Math.floor(i / tileSize), Math.floor(j / tileSize)];
    return ((row * (row + 1)) / 2 + column) * tileSize ** 2 + (i % tileSize) * tileSize + (j % tileSize);
  };
  for (let i = 0; i < paddedSize; i++)
    for (let j = 0; j <= i; j++) tiles[placeOf(i, j)] = i < size ? matrix[i * size + j] : i === j ? 1 : 0;
  arena.float32("limits", paddedSize).fill(1e-5);
  let blocks = 0;
  const failed = await invertTiles(arena, layout, { signal: options.signal, onBlock: () => blocks++ });
  const inverse = new Float32Array(size * size);
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) inverse[i * size + j] = -tiles[placeOf(Math.max(i, j), Math.min(i, j))];
  arena.dispose();
  return { inverse, failed, blocks };
}

const sizes = Array.from({ length: 70 }, (_, k) => k + 1);
const problems = sizes.map((size) => {
  const matrix = definite(size, size);
  return { size, matrix, expected: referenceInverse(matrix, size) };
});

describe.each(variants)("$title", ({ options }) => {
  it("sizes 1 to 70, in one tile and in tiles of 16", async () => {
    for (const { size, matrix, expected } of problems) {
      for (const tileSize of [undefined, 16]) {
        const { inverse, failed } = await invert(matrix, size, { ...options, tileSize });
        expect(failed).toBe(-1);
        expect(relativeError(inverse, expected), `size ${size}, tiles ${tileSize}`).toBeLessThan(1e-4);
      }
    }
  });

  it("inverse times matrix is the identity, over the default tiles", async () => {
    const size = 300;
    const matrix = definite(size, 5, 0.3);
    const { inverse, blocks } = await invert(matrix, size, options);
    expect(blocks).toBe(2);
    for (let i = 0; i < size; i += 29)
      for (let j = 0; j < size; j++) {
        let sum = 0;
        for (let k = 0; k < size; k++) sum += inverse[i * size + k] * matrix[k * size + j];
        expect(Math.abs(sum - (i === j ? 1 : 0))).toBeLessThan(1e-4);
      }
  });

  it("names the row at which a matrix is not positive definite", async () => {
    const matrix = definite(40, 3);
    matrix[21 * 41] = -1;
    expect((await invert(matrix, 40, { ...options, tileSize: 16 })).failed).toBe(21);
    matrix[21 * 41] = Number.NaN;
    expect((await invert(matrix, 40, { ...options, tileSize: 16 })).failed).toBe(21);
  });

  it("stops when aborted", async () => {
    await expectError(invert(definite(40, 3), 40, { ...options, tileSize: 16, signal: AbortSignal.abort() }), "E_CANCELLED");
  });
});

it.each(builds)("%s: the same bits for any threads and either memory", async (build) => {
  const matrix = definite(150, 8);
  const first = await invert(matrix, 150, { build, threads: 1, tileSize: 32 });
  const bits = Buffer.from(first.inverse.buffer);
  for (const environment of [...environments, { shared: true, threads: 5 }])
    expect(Buffer.from((await invert(matrix, 150, { build, ...environment, tileSize: 32 })).inverse.buffer).equals(bits)).toBe(true);
});
