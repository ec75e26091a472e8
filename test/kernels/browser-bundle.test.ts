/**
 * The browser half: a bundle of the kernel bindings names no `node:` module, and run without Node's `process` it fetches the
 * unshared kernels, works on the calling thread, and gives the bits that threads give.
 */
import { readFile } from "node:fs/promises";
import vm from "node:vm";
import { rolldown } from "rolldown";
import { expect, it } from "vitest";
import { createAlsSolver } from "../../src/kernels/als.js";
import { createTopKIndex } from "../../src/kernels/top-k.js";
import { alsProblem, normals } from "./als-fixture.js";

const entry = "virtual:entry";
const bindings = new URL("../../src/kernels/", import.meta.url).pathname;

async function bundle(): Promise<string> {
  const build = await rolldown({
    input: entry,
    platform: "browser",
    transform: { define: { "import.meta.url": JSON.stringify("https://shop.example/js/kernels.js") } },
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) =>
          id === entry ? ["als", "top-k"].map((name) => `export * from ${JSON.stringify(`${bindings}${name}.ts`)};`).join("\n") : undefined,
      },
    ],
  });
  const { output } = await build.generate({ format: "iife", name: "kernels" });
  expect(output).toHaveLength(1);
  expect(output[0].imports).toEqual([]);
  return output[0].code;
}

it("bundles without Node modules and answers as threads do", async () => {
  const code = await bundle();
  const fetched: string[] = [];
  const page = vm.createContext({
    WebAssembly,
    MessageChannel,
    performance,
    URL,
    fetch: async (address: URL) => {
      fetched.push(address.href);
      const bytes = await readFile(new URL(`../../dist/wasm/${address.pathname.split("/").at(-1)}`, import.meta.url));
      return new Response(new Uint8Array(bytes));
    },
  });
  // The page's own typed arrays are of another realm; the kernels take either.
  const kernels = vm.runInContext(`${code};kernels`, page) as {
    createAlsSolver: typeof createAlsSolver;
    createTopKIndex: typeof createTopKIndex;
  };
  const problem = alsProblem({ lengths: [3, 0, 9, 30], numItems: 40, factors: 7, seed: 1 });
  const [inPage, inNode] = await Promise.all([kernels.createAlsSolver, createAlsSolver].map((create) => create(problem, { threads: 2 })));
  await inPage.sweep("users");
  await inNode.sweep("users");
  expect(Array.from(inPage.userFactors())).toEqual(Array.from(inNode.userFactors()));

  const items = normals(100_000 * 30, 2);
  const searches = [kernels.createTopKIndex, createTopKIndex].map(async (create) => {
    const index = await create(items, { numItems: 100_000, dimensions: 30, threads: 2 });
    return Array.from((await index.search(normals(60, 3), { topK: 10 })).itemIndex);
  });
  expect(await searches[0]).toEqual(await searches[1]);
  expect(fetched).toEqual([expect.stringMatching(/^https:\/\/shop\.example\/wasm\/(plain|relaxed)-unshared\.wasm$/)]);
});
