import { readerContract } from "../contracts/reader.js";
import { writeCsv, writeJsonl, writeParquet, writePython, writeSheet } from "../support/event-files.js";

const afterHeader = (i: number) => i + 2;
const fromOne = (i: number) => i + 1;

readerContract({ format: "csv", extension: ".csv", write: writeCsv, line: afterHeader });
readerContract({ format: "csv", extension: ".csv.gz", write: writeCsv, line: afterHeader, cut: /is cut off: the compressed data/ });
readerContract({ format: "jsonl", extension: ".jsonl", write: writeJsonl, line: fromOne });
readerContract({ format: "jsonl", extension: ".json.gz", write: writeJsonl, line: fromOne, cut: /is cut off: the compressed data/ });
readerContract({ format: "python", extension: ".pyjson", write: writePython, line: fromOne });
readerContract({ format: "python", extension: ".gz", write: writePython, line: fromOne, cut: /is cut off: the compressed data/ });
readerContract({ format: "parquet", extension: ".parquet", write: writeParquet, line: fromOne, cut: /cut off|magic bytes/ });
readerContract({ format: "xlsx", extension: ".xlsx", write: writeSheet, line: afterHeader, cut: /is cut off: the end of the workbook/ });
