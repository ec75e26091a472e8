/**
 * Reads a large generated csv under a small memory limit of the SQL engine and prints rows per second and the peak memory of the process:
 * `node scripts/check-large-csv.mjs [--bytes 2e9] [--memory 256MB] [--threads N] [--folder DIR] [--json]`. Needs `npm run build`; takes minutes
 * and as much disk as the file. Rows are checked: count, order, and the numbers of users and items. Exit 1 when anything differs.
 */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const USERS = 1_000_000;
const ITEMS = 100_000;

const { values: options } = parseArgs({
  options: {
    bytes: { type: "string", default: "2e9" },
    memory: { type: "string", default: "256MB" },
    threads: { type: "string" },
    folder: { type: "string", default: tmpdir() },
    json: { type: "boolean", default: false },
    read: { type: "string" },
  },
});

if (options.read) await read(options.read);
else check();

function check() {
  const folder = mkdtempSync(join(options.folder, "tastemaker-large-"));
  try {
    const file = join(folder, "events.csv");
    console.error(`writing ${file} …`);
    const rows = generate(file, Number(options.bytes));
    console.error(`reading ${rows} rows …`);
    const settings = ["--memory", options.memory, ...(options.threads ? ["--threads", options.threads] : [])];
    // A process of its own: the peak memory is that of reading alone.
    const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--read", file, ...settings], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (child.status !== 0) throw new Error(`reading ended with ${child.signal ?? child.status}`);
    const result = { bench: "large-csv", bytes: statSync(file).size, memoryLimit: options.memory, ...JSON.parse(child.stdout) };
    if (result.rows !== rows || !result.inOrder)
      throw new Error(`${rows} rows were written, but ${result.rows} read${result.inOrder ? "" : ", out of order"}`);
    if (options.json) console.log(JSON.stringify(result));
    else
      console.log(
        `${(result.bytes / 1e9).toFixed(2)} GB, ${rows} rows, ${result.users} users, ${result.items} items under ${options.memory}: ` +
          `${result.seconds.toFixed(1)} s, ${Math.round(result.rowsPerSecond)} rows/s, peak memory ${Math.round(result.peakRss / 1e6)} MB ` +
          `(of which the result ${Math.round(result.resultBytes / 1e6)} MB)`,
      );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** About `bytes` of orders, 100 bytes a row; the amount is the row's number, so that order can be checked. Seeded. */
function generate(file, bytes) {
  let state = 12345;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
  const handle = openSync(file, "w");
  writeSync(handle, "order_id,customer_id,product_id,created_at,quantity,price,title\n");
  let rows = 0;
  for (let written = 0; written < bytes; ) {
    let block = "";
    for (let i = 0; i < 20_000; i++, rows++) {
      const item = Math.floor(ITEMS * random() * random());
      const time = new Date(1.5e12 + rows * 1000).toISOString().slice(0, 19).replace("T", " ");
      block += `${1e7 + (rows >> 2)},${Math.floor(USERS * random())},sku-${item},${time},${rows % 1000},${(item % 997) / 10},"A product, number ${item}, of the demo shop"\n`;
    }
    written += writeSync(handle, block);
  }
  closeSync(handle);
  return rows;
}

async function read(file) {
  const { readInteractions } = await import("../dist/index.js");
  const start = performance.now();
  const data = await readInteractions(file, {
    memoryLimit: options.memory,
    threads: options.threads ? Number(options.threads) : undefined,
  });
  const seconds = (performance.now() - start) / 1000;
  let inOrder = true;
  for (let e = 0; e < data.numInteractions; e++) if (data.weight[e] !== e % 1000) inOrder = false;
  const columns = [data.userIndex, data.itemIndex, data.weight, data.timestamp, data.basket];
  const resultBytes = columns.reduce((sum, column) => sum + (column?.byteLength ?? 0), 0);
  const peakRss = process.resourceUsage().maxRSS * 1024;
  const result = {
    rows: data.numInteractions,
    users: data.numUsers,
    items: data.numItems,
    seconds,
    rowsPerSecond: data.numInteractions / seconds,
    peakRss,
    resultBytes,
    inOrder,
  };
  console.log(JSON.stringify(result));
}
