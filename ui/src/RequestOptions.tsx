/** Which model answers, how long the list is, and whether what the user has is left out. */
import type { Model } from "../../src/server/api-types.js";

export interface OptionsValue {
  /** Undefined: the server's default model. */
  model: string | undefined;
  topK: number;
  /** Undefined: the server's default. */
  excludeSeen: boolean | undefined;
}

export interface RequestOptionsProps {
  value: OptionsValue;
  models: Model[];
  onChange: (value: OptionsValue) => void;
}

export function RequestOptions({ value, models, onChange }: RequestOptionsProps) {
  const chosen = value.model ?? models.find((model) => model.default)?.name ?? "";
  return (
    <section className="card options-card" aria-label="Options">
      <label>
        <span>Model</span>
        <select value={chosen} onChange={(event) => onChange({ ...value, model: event.target.value })}>
          {models.map(({ name, default: isDefault }) => (
            <option key={name} value={name}>
              {isDefault ? `${name} (default)` : name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>List length</span>
        <select value={value.topK} onChange={(event) => onChange({ ...value, topK: Number(event.target.value) })}>
          {[5, 10, 20, 50, 100].map((length) => (
            <option key={length}>{length}</option>
          ))}
        </select>
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={value.excludeSeen ?? true}
          onChange={(event) => onChange({ ...value, excludeSeen: event.target.checked })}
        />
        <span>Leave out what they have</span>
      </label>
    </section>
  );
}
