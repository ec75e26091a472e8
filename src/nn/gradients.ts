/** Reverse-mode differentiation: adds the backward nodes of a scalar to its graph (Griewank & Walther 2008, ch. 3). */
import { ConfigError } from "../core/errors.js";
import { add } from "./ops/elementwise.js";
import { type Node, sameShape, scalar, shapeText, sizeOf, type Tensor } from "./tensor.js";

/**
 * d loss / d each of `of`, in their shapes; undefined where the loss does not depend on it.
 * Throws ConfigError when the loss is no scalar or an operator on the way has no gradient.
 */
export function gradients(loss: Tensor, of: readonly Tensor[]): (Tensor | undefined)[] {
  if (sizeOf(loss.shape) !== 1)
    throw new ConfigError(`Only a scalar can be differentiated, not ${shapeText(loss.shape)}.`, { hint: "Sum or average the loss first." });
  const order = nodesBefore(loss.node);
  const wanted = new Set(of);
  const needed = new Set<Node>();
  for (const node of order)
    if (node.outputs.some((tensor) => wanted.has(tensor)) || node.inputs.some((tensor) => tensor && needed.has(tensor.node)))
      needed.add(node);

  const parts = new Map<Tensor, Tensor[]>([[loss, [scalar(loss.node.graph, 1)]]]);
  const total = (tensor: Tensor): Tensor | undefined => {
    const list = parts.get(tensor);
    if (!list) return undefined;
    const sum = list.reduce((a, b) => add(a, b));
    parts.set(tensor, [sum]);
    return sum;
  };
  for (const node of order.reverse()) {
    if (!needed.has(node) || node.inputs.length === 0) continue;
    const outputs = node.outputs.map(total);
    if (outputs.every((gradient) => gradient === undefined)) continue;
    if (!node.gradient) throw new ConfigError(`The operator ${node.operator} has no gradient.`, { hint: "Put stopGradient before it." });
    node.gradient(outputs).forEach((gradient, k) => {
      const tensor = node.inputs[k];
      if (!gradient || !tensor || !needed.has(tensor.node)) return;
      if (!sameShape(gradient.shape, tensor.shape))
        throw new ConfigError(
          `The gradient of ${node.operator} has shape ${shapeText(gradient.shape)}, its input ${shapeText(tensor.shape)}.`,
          {
            hint: "The operator's gradient rule is wrong.",
          },
        );
      const list = parts.get(tensor);
      if (list) list.push(gradient);
      else parts.set(tensor, [gradient]);
    });
  }
  return of.map(total);
}

/** All nodes that `last` depends on and itself, each behind its inputs. */
export function nodesBefore(last: Node): Node[] {
  const order: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const stack = [last];
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    if (state.get(node) === "done") stack.pop();
    else if (state.get(node) === "open") {
      state.set(node, "done");
      order.push(node);
      stack.pop();
    } else {
      state.set(node, "open");
      for (const tensor of node.inputs) if (tensor && !state.has(tensor.node)) stack.push(tensor.node);
    }
  }
  return order;
}
