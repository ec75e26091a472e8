/**
 * The shape of a declared route's answer: a JSON value whose strings beginning with `$` pick a field of our answer
 * (`$itemId`, `$properties.title`), and whose lists hold one entry, repeated for each item (with `each`: the outer list for each
 * instance, the inner one for each item). `$$` begins a text with a dollar. Checked with the recipe, filled by the server.
 */
import { nameHint } from "../core/nearest-names.js";

export type TemplateValue = string | number | boolean | null | TemplateValue[] | { [key: string]: TemplateValue };

/** Names that a place of the template may pick, outermost first; each further list goes one level down. */
export type TemplateLevels = readonly (readonly string[])[];

/** What a level offers, and the entries that a list there is repeated for. */
export interface TemplateScope {
  values: Readonly<Record<string, unknown>>;
  entries: readonly TemplateScope[];
}

const anywhere = ["requestId"];
const ofAnswer = [...anywhere, "modelVersion", "user"];
const itemOf = (outer: readonly string[]) => [...outer, "itemId", "score", "source", "properties"];

/** The levels of what a route answers. */
export function templateLevels({ answers, each }: { answers: "ready" | "recommend" | "search"; each?: string }): TemplateLevels {
  if (answers === "ready") return [anywhere];
  if (answers === "search") return [anywhere, [...anywhere, "itemId", "properties"]];
  return each === undefined ? [ofAnswer, itemOf(ofAnswer)] : [anywhere, ofAnswer, itemOf(ofAnswer)];
}

export interface TemplateFault {
  path: PropertyKey[];
  message: string;
  hint: string;
}

/** The first thing that is wrong in a template; `properties` are the known item properties, where they are known. */
export function templateFault(
  template: unknown,
  levels: TemplateLevels,
  properties: readonly string[] | undefined,
): TemplateFault | undefined {
  if (Array.isArray(template)) {
    const more = levels.length > 1;
    if (template.length !== 1 || !more)
      return {
        path: [],
        message: more ? `is a list of ${template.length} entries` : "is a list, but there is nothing here to list",
        hint: "A list holds one entry, which is repeated: [$itemId].",
      };
    return inside(0, templateFault(template[0], levels.slice(1), properties));
  }
  if (typeof template === "object" && template !== null) {
    for (const [key, value] of Object.entries(template)) {
      const fault = inside(key, templateFault(value, levels, properties));
      if (fault) return fault;
    }
    return undefined;
  }
  const picked = pickedName(template);
  if (picked === undefined) return undefined;
  const [name, ...rest] = picked.split(".");
  const fault = (hint: string) => ({ path: [], message: `is ${JSON.stringify(template)}`, hint });
  if (!levels[0].includes(name)) {
    const below = Math.max(
      0,
      levels.findIndex((names) => names.includes(name)),
    );
    const nested = `${"[".repeat(below)}$${name}${"]".repeat(below)}`;
    const known = levels[0].map((one) => `$${one}`);
    return fault(below > 0 ? `$${name} is known inside a list only: ${nested}.` : nameHint(`$${name}`, known));
  }
  if (rest.length === 0) return undefined;
  const property = rest.join(".");
  if (name !== "properties") return fault(`$${name} has no parts.`);
  return properties?.includes(property) === false ? fault(nameHint(property, properties)) : undefined;
}

/** The answer: the template with every `$name` replaced. */
export function fillTemplate(template: unknown, scope: TemplateScope): TemplateValue {
  if (Array.isArray(template)) return scope.entries.map((entry) => fillTemplate(template[0], entry));
  if (typeof template === "object" && template !== null)
    return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, fillTemplate(value, scope)]));
  const picked = pickedName(template);
  if (picked === undefined)
    return (typeof template === "string" && template.startsWith("$$") ? template.slice(1) : template) as TemplateValue;
  const [name, ...rest] = picked.split(".");
  const value = scope.values[name];
  const found = rest.length === 0 ? value : (value as Record<string, unknown> | undefined)?.[rest.join(".")];
  return (found ?? null) as TemplateValue;
}

/** `itemId` of "$itemId"; undefined for what stands for itself. */
export function pickedName(template: unknown): string | undefined {
  return typeof template === "string" && /^\$[^$]/.test(template) ? template.slice(1) : undefined;
}

function inside(key: PropertyKey, fault: TemplateFault | undefined): TemplateFault | undefined {
  return fault && { ...fault, path: [key, ...fault.path] };
}
