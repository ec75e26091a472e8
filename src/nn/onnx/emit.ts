/**
 * Writes the part of a graph that some outputs need as an ONNX model. Inputs keep their names, the outputs get the given ones.
 * `float64` is for gradient checks; operators that onnxruntime lacks in float64 are decomposed (decompose.ts).
 */
import { ConfigError } from "../../core/errors.js";
import { nodesBefore } from "../gradients.js";
import { type ElementType, misfit, type Node, sizeOf, type Tensor } from "../tensor.js";
import { decompose } from "./decompose.js";
import { dataTypes, encodeModel, type OnnxGraph, type OnnxTensor, type OnnxValue } from "./schema.js";
import { createWriter } from "./writer.js";

export interface EmitOptions {
  float64?: boolean;
  /** Only operators of the ONNX standard, for other run times. Default: onnxruntime's fused product is used. */
  standard?: boolean;
  /** Values of inputs that are written into the file, by name: parameters and tables. */
  values?: Readonly<Record<string, ArrayLike<number>>>;
  /** What the file is, in words; and facts for programs. */
  documentation?: string;
  metadata?: Readonly<Record<string, string>>;
  /** A sentence per input and output. */
  help?: Readonly<Record<string, string>>;
}

export interface EmittedModel {
  bytes: Uint8Array;
  inputs: readonly { name: string; tensor: Tensor }[];
  numNodes: number;
}

/** Throws ConfigError when the file would be larger than the format allows. */
export function emitOnnx(outputs: Readonly<Record<string, Tensor>>, options: EmitOptions = {}): EmittedModel {
  const { float64 = false, standard = false, values = {}, help = {}, documentation, metadata } = options;
  const graph: OnnxGraph = { name: "tastemaker", node: [], initializer: [], input: [], output: [] };
  const names = new Map<Tensor, string>();
  const inputs: { name: string; tensor: Tensor }[] = [];
  const wanted = new Map<Tensor, string>();
  for (const [name, tensor] of Object.entries(outputs)) if (!wanted.has(tensor) && computed(tensor)) wanted.set(tensor, name);
  const nameOf = (tensor: Tensor | undefined) => (tensor ? (names.get(tensor) ?? "") : "");
  const writer = createWriter(graph, { float64, standard });

  const done = new Set<Node>();
  for (const { node: last } of Object.values(outputs)) {
    for (const node of nodesBefore(last)) {
      if (done.has(node)) continue;
      done.add(node);
      const [first] = node.outputs;
      if (node.operator === "alias") names.set(first, nameOf(node.inputs[0]));
      else if (node.operator === "input") {
        names.set(first, node.name!);
        if (Object.hasOwn(values, node.name!)) {
          graph.initializer.push(tensorOf(node.name!, { ...node, values: values[node.name!] }, float64));
          continue;
        }
        inputs.push({ name: node.name!, tensor: first });
        graph.input.push({ ...valueInfo(node.name!, first, float64), docString: help[node.name!] });
      } else if (node.operator === "constant") {
        const name = `c${node.id}`;
        names.set(first, name);
        graph.initializer.push(tensorOf(name, node, float64));
      } else {
        for (const tensor of node.outputs) names.set(tensor, wanted.get(tensor) ?? `t${node.id}_${tensor.output}`);
        const [from, to] = [node.inputs.map(nameOf), node.outputs.map(nameOf)];
        if (!decompose(writer, node, from, to)) writer.node(node.operator, from, to, node.attributes, node.domain);
      }
    }
  }
  for (const [name, tensor] of Object.entries(outputs)) {
    if (names.get(tensor) !== name) writer.node("Identity", [nameOf(tensor)], [name]);
    graph.output.push({ ...valueInfo(name, tensor, float64), docString: help[name] });
  }
  const size = graph.initializer.reduce((sum, { rawData }) => sum + rawData.length, 0);
  if (size > MOST_BYTES)
    throw new ConfigError(`Its tables take ${(size / 2 ** 30).toFixed(1)} GiB, and an ONNX file holds less than 2.`, {
      hint: "Export the arrays instead, or train with fewer dimensions.",
    });
  return { bytes: encodeModel({ graph, documentation, metadata }), inputs, numNodes: graph.node.length };
}

/** Protocol Buffers end at 2 GiB; the rest is for the graph. */
const MOST_BYTES = 2 ** 31 - 2 ** 24;

/** True for tensors that a node of the file gives its name to. */
const computed = ({ node }: Tensor) => !["alias", "input", "constant"].includes(node.operator);

function elementType(type: ElementType, float64: boolean): number {
  if (type === "float") return float64 ? dataTypes.float64 : dataTypes.float32;
  return dataTypes[type];
}

function valueInfo(name: string, { shape, type }: Tensor, float64: boolean): OnnxValue {
  const dim = shape.map((size) => (typeof size === "string" ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: elementType(type, float64), shape: { dim } } } };
}

function tensorOf(name: string, { values, outputs: [{ shape, type }] }: Pick<Node, "values" | "outputs">, float64: boolean): OnnxTensor {
  if (values!.length !== sizeOf(shape)) misfit(`The value of ${name}`, [values!.length], shape);
  const typed = () => {
    if (type === "float" && !float64) return values instanceof Float32Array ? values : Float32Array.from(values!);
    if (type === "float") return Float64Array.from(values!);
    if (type === "int64") return BigInt64Array.from(values!, BigInt);
    if (type === "int32") return Int32Array.from(values!);
    throw new ConfigError(`A constant of type ${type} cannot be written.`, { hint: "Constants are float, int64 or int32." });
  };
  const data = typed();
  return {
    name,
    dims: shape as readonly number[],
    dataType: elementType(type, float64),
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}
