/**
 * Expressions over tensors with known shapes: every function of ops/ adds a node to a graph and returns its output. Nothing is
 * computed here; `gradients` adds the backward nodes, `emitOnnx` writes them all as one ONNX graph. Equal nodes are shared.
 */
import { ConfigError } from "../core/errors.js";

/** A size, or the name of one that is known at run time only (a batch), alone or times a number: see `times`. */
export type Dimension = number | string;
export type Shape = readonly Dimension[];

/** float: float32, or float64 in gradient checks. */
export type ElementType = "float" | "int64" | "int32" | "bool";

export interface Tensor {
  readonly node: Node;
  /** Which output of its node. */
  readonly output: number;
  readonly shape: Shape;
  readonly type: ElementType;
}

export type AttributeValue = number | string | { readonly float: number } | readonly number[];

/** Given the gradients of the node's outputs (undefined: none), those of its inputs. */
export type GradientRule = (outputs: readonly (Tensor | undefined)[]) => readonly (Tensor | undefined)[];

export interface Node {
  readonly id: number;
  readonly graph: Graph;
  /** ONNX operator; "input", "constant" and "alias" are ours. */
  readonly operator: string;
  readonly domain: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly outputs: readonly Tensor[];
  readonly gradient?: GradientRule;
  /** Of inputs. */
  readonly name?: string;
  /** Of constants. */
  readonly values?: ArrayLike<number>;
}

export interface Graph {
  readonly nodes: Node[];
  /** Nodes by what they compute. */
  readonly known: Map<string, Node>;
  readonly inputs: Map<string, Tensor>;
}

export const createGraph = (): Graph => ({ nodes: [], known: new Map(), inputs: new Map() });

export interface NodeOptions {
  attributes?: Node["attributes"];
  domain?: string;
  /** Shape and type of each output; at least one. */
  outputs: readonly { shape: Shape; type?: ElementType }[];
  gradient?: GradientRule;
}

/** Adds a node, or finds the equal one. */
export function addNode(operator: string, inputs: readonly (Tensor | undefined)[], options: NodeOptions): Node {
  const { attributes = {}, domain = "", outputs, gradient } = options;
  const { graph } = inputs.find((tensor) => tensor !== undefined)!.node;
  const key = JSON.stringify([operator, inputs.map((tensor) => tensor && [tensor.node.id, tensor.output]), attributes, outputs]);
  const found = graph.known.get(key);
  if (found) return found;
  const node = append(graph, { operator, domain, inputs, attributes, gradient }, outputs);
  graph.known.set(key, node);
  return node;
}

/** The only output of a new node. */
export const op = (operator: string, inputs: readonly (Tensor | undefined)[], options: NodeOptions): Tensor =>
  addNode(operator, inputs, options).outputs[0];

/** What is fed at run time. Throws ConfigError when the graph has another input of that name. */
export function input(graph: Graph, name: string, shape: Shape, type: ElementType = "float"): Tensor {
  const known = graph.inputs.get(name);
  if (known) {
    if (sameShape(known.shape, shape) && known.type === type) return known;
    throw new ConfigError(`The graph has an input ${name} of shape ${shapeText(known.shape)} already, not ${shapeText(shape)}.`, {
      hint: "Give every input a name of its own.",
    });
  }
  const [tensor] = append(graph, { operator: "input", domain: "", inputs: [], attributes: {}, name }, [{ shape, type }]).outputs;
  graph.inputs.set(name, tensor);
  return tensor;
}

/** From now on `input` of this name gives the tensor, of the same shape: what would be fed is computed within the graph. */
export function provide(graph: Graph, name: string, tensor: Tensor): void {
  graph.inputs.set(name, tensor);
}

/** Values written into the graph, row-major. Small equal constants are shared. */
export function constant(graph: Graph, values: ArrayLike<number>, shape: Shape, type: ElementType = "float"): Tensor {
  const key = values.length <= 64 ? JSON.stringify(["constant", type, shape, Array.from(values)]) : undefined;
  const found = key === undefined ? undefined : graph.known.get(key);
  if (found) return found.outputs[0];
  const node = append(graph, { operator: "constant", domain: "", inputs: [], attributes: {}, values }, [{ shape, type }]);
  if (key !== undefined) graph.known.set(key, node);
  return node.outputs[0];
}

export const scalar = (graph: Graph, value: number): Tensor => constant(graph, [value], []);
/** A constant of equal values. */
export const filled = (graph: Graph, value: number, shape: Shape): Tensor => {
  const key = JSON.stringify(["filled", value, shape]);
  const found = graph.known.get(key);
  if (found) return found.outputs[0];
  const tensor = constant(graph, new Float32Array(sizeOf(shape)).fill(value), shape);
  graph.known.set(key, tensor.node);
  return tensor;
};
export const integers = (graph: Graph, values: readonly number[]): Tensor => constant(graph, values, [values.length], "int64");

/**
 * A value with a gradient rule of one's own: `value` forward, `gradient` backward for the given inputs. For losses and recurrent
 * layers whose closed form is cheaper than what the rules of their parts add up to.
 */
export function withGradient(value: Tensor, inputs: readonly Tensor[], gradient: GradientRule): Tensor {
  const { graph } = value.node;
  return append(
    graph,
    { operator: "alias", domain: "", inputs: [value, ...inputs], attributes: {}, gradient: (g) => [undefined, ...gradient(g)] },
    [{ shape: value.shape, type: value.type }],
  ).outputs[0];
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, axis) => size === b[axis]);
export const shapeText = (shape: Shape): string => `[${shape.join(" × ")}]`;

/** A size `factor` times over; of one known at run time only, "batch" times 50 is "50·batch". */
export function times(size: Dimension, factor: number): Dimension {
  if (typeof size === "number") return size * factor;
  const { count, names } = volume([size]);
  return count * factor === 1 ? names[0] : `${count * factor}·${names[0]}`;
}

/** Number of values as a count times the sizes known at run time only. */
export function volume(shape: Shape): { count: number; names: string[] } {
  let count = 1;
  const names: string[] = [];
  for (const size of shape) {
    const [, factor, name] = typeof size === "number" ? [size, size, undefined] : /^(?:(\d+)·)?(.*)$/.exec(size)!;
    count *= Number(factor ?? 1);
    if (name !== undefined) names.push(name);
  }
  return { count, names };
}

/** Number of values. Throws ConfigError for a size known at run time only. */
export function sizeOf(shape: Shape): number {
  return shape.reduce<number>((product, size) => {
    if (typeof size === "string")
      throw new ConfigError(`The size ${size} of a tensor ${shapeText(shape)} is not known before run time.`, {
        hint: "Build the graph with a fixed size.",
      });
    return product * size;
  }, 1);
}

/** Throws ConfigError naming the operator and both shapes. */
export function misfit(operator: string, a: Shape, b: Shape): never {
  throw new ConfigError(`${operator} cannot take tensors of shapes ${shapeText(a)} and ${shapeText(b)}.`, {
    hint: "The shapes do not fit each other.",
    details: { operator, shapes: [a, b] },
  });
}

function append(graph: Graph, parts: Omit<Node, "id" | "graph" | "outputs">, outputs: NodeOptions["outputs"]): Node {
  const list: Tensor[] = [];
  const node: Node = { ...parts, id: graph.nodes.length, graph, outputs: list };
  outputs.forEach(({ shape, type = "float" }, output) => {
    list.push({ node, output, shape, type });
  });
  graph.nodes.push(node);
  return node;
}
