/** Nodes, their attributes and small constants, appended to an ONNX graph. Called by emit.ts, and by decompose.ts for operators written as several. */
import type { AttributeValue, Node } from "../tensor.js";
import { attributeTypes, dataTypes, type OnnxGraph, type OnnxNode } from "./schema.js";

/** Adds nodes and constants. */
export interface Writer {
  readonly float64: boolean;
  readonly standard: boolean;
  node(operator: string, inputs: readonly string[], outputs: readonly string[], attributes?: Node["attributes"], domain?: string): void;
  /** A constant; gives its name. */
  floats(values: readonly number[], shape: readonly number[]): string;
  integers(values: readonly number[]): string;
  /** A name nothing else has. */
  fresh(): string;
}

export function createWriter(graph: OnnxGraph, { float64, standard }: Pick<Writer, "float64" | "standard">): Writer {
  let counter = 0;
  const fresh = () => `_${counter++}`; // no input begins so
  const initial = (values: ArrayBufferView, dims: readonly number[], dataType: number) => {
    const name = fresh();
    graph.initializer.push({ name, dims, dataType, rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) });
    return name;
  };
  return {
    float64,
    standard,
    fresh,
    node(opType, input, output, attributes = {}, domain = "") {
      const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
      graph.node.push({ opType, name: `${opType}_${graph.node.length}`, domain, input: [...input], output: [...output], attribute });
    },
    floats: (values, shape) =>
      initial(float64 ? Float64Array.from(values) : Float32Array.from(values), shape, float64 ? dataTypes.float64 : dataTypes.float32),
    integers: (values) => initial(BigInt64Array.from(values, BigInt), [values.length], dataTypes.int64),
  };
}

function attributeOf(name: string, value: AttributeValue): OnnxNode["attribute"][number] {
  if (typeof value === "number") return { name, type: attributeTypes.int, i: value };
  if (typeof value === "string") return { name, type: attributeTypes.string, s: new TextEncoder().encode(value) };
  if ("float" in value) return { name, type: attributeTypes.float, f: value.float };
  return { name, type: attributeTypes.ints, ints: value };
}
