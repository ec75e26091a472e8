/** The loaded models side by side; the best of each metric stands out, and one of them is chosen to answer. */
import type { Model } from "../../src/server/api-types.js";

export interface ModelsTableProps {
  models: Model[];
  chosen: string | undefined;
  onChoose: (name: string) => void;
}

export function ModelsTable({ models, chosen, onChoose }: ModelsTableProps) {
  const metrics = [...new Set(models.flatMap((model) => Object.keys(model.metrics)))];
  const best = new Map(metrics.map((metric) => [metric, Math.max(...models.map((model) => model.metrics[metric] ?? -Infinity))]));
  return (
    <section className="card" aria-labelledby="models">
      <h2 id="models">Models</h2>
      {metrics.length === 0 && <p className="quiet">These models were saved without metrics; tastemaker evaluate measures them.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled by keyboard */}
      <div className="scroll" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Model</th>
              {metrics.map((metric) => (
                <th key={metric} scope="col" className="number">
                  {metric}
                </th>
              ))}
              <th scope="col" className="number">
                Users
              </th>
              <th scope="col" className="number">
                Items
              </th>
              <th scope="col">Version</th>
            </tr>
          </thead>
          <tbody>
            {models.map((model) => (
              <tr key={model.name} className={model.name === chosen ? "chosen" : undefined}>
                <th scope="row">
                  <label className="check">
                    <input type="radio" name="model" checked={model.name === chosen} onChange={() => onChoose(model.name)} />
                    <span>{model.name}</span>
                    {model.default && <span className="tag">default</span>}
                  </label>
                </th>
                {metrics.map((metric) => (
                  <td key={metric} className={model.metrics[metric] === best.get(metric) ? "number best" : "number"}>
                    {model.metrics[metric]?.toFixed(4) ?? "–"}
                  </td>
                ))}
                <td className="number">{model.numUsers.toLocaleString("en")}</td>
                <td className="number">{model.numItems.toLocaleString("en")}</td>
                <td className="quiet">{model.version}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
