/** Trials kept in memory: for benchmarks, tests, and searches that nobody wants to go on with. */
import { NotFoundError, TastemakerError } from "../core/errors.js";
import type { Study, Trial, TrialStore } from "../core/trials.js";

export function createMemoryTrialStore(): TrialStore {
  const studies = new Map<string, { study: Study; trials: Map<number, Trial> }>();
  return {
    async putStudy(study) {
      if (!studies.has(study.id)) studies.set(study.id, { study: structuredClone(study), trials: new Map() });
    },
    readStudy: async (id) => structuredClone(studies.get(id)?.study),
    listStudies: async () => [...studies.values()].map(({ study }) => structuredClone(study)),
    deleteStudy: async (id) => void studies.delete(id),
    async addTrial(id, trial) {
      const found = studies.get(id);
      if (!found) throw noStudy(id);
      if (found.trials.has(trial.number)) throw numberTaken(trial.number);
      found.trials.set(trial.number, structuredClone(trial));
    },
    async listTrials(id) {
      const trials = [...(studies.get(id)?.trials.values() ?? [])];
      return structuredClone(trials.sort((a, b) => a.number - b.number));
    },
    close: async () => {},
  };
}

export function noStudy(id: string): NotFoundError {
  return new NotFoundError(`There is no study ${JSON.stringify(id)}.`, { hint: "Put the study before its trials.", details: { got: id } });
}

/** Two searches that go on with one study meet at the first trial that both finish. */
export function numberTaken(number: number): TastemakerError {
  return new TastemakerError("E_UNAVAILABLE", `Another search is running on the same study: its trial ${number} is kept already.`, {
    hint: "Let it finish, then run this again: finished trials are kept.",
    details: { got: number },
  });
}
