/**
 * Online Retail (Boschetti & Massaron, Packt 2018, TensorFlow deep learning projects, ch. 9).
 * Scenario A: five items for every invoice of a month, precision@5 over all invoices, repeated lines counted repeatedly;
 * the same split into items bought before and new ones.
 * Scenario B: before every line of an invoice five items, accuracy@5 of that line; only earlier lines are visible, and
 * items already on the invoice are not recommended again.
 */
import { join } from "node:path";
import { z } from "zod";
import type { Interactions } from "../../core/interactions.js";
import { parseParams } from "../../core/params.js";
import { readDataset } from "../../data/readers/read-dataset.js";
import { split } from "../../data/splits.js";
import { basketCases, lineCases } from "../../evaluation/basket-cases.js";
import { casesOfKind, segmentMeans } from "./retail-cases.js";
import type { Judging, Scenario, Study, StudyData } from "./study.js";
import { modelNames, once, type StudyModel, studyModelSchema } from "./study-models.js";

const configSchema = z.strictObject({
  file: z.string(),
  drop: z.array(z.strictObject({ reason: z.string(), where: z.string() })),
  columns: z.strictObject({ user: z.string(), item: z.string(), timestamp: z.string(), basket: z.string() }),
  /** Models and parameters are chosen on the month that begins here, reported on the next two. */
  chooseFrom: z.iso.date(),
  validationFrom: z.iso.date(),
  testFrom: z.iso.date(),
  scenarios: z.strictObject({
    A: z.array(studyModelSchema),
    B: z.array(studyModelSchema.extend({ foldIn: z.boolean().default(false) })),
  }),
});

const parseConfig = (config: unknown) => parseParams(configSchema, config, "Study retail, config.yaml");

export const retail: Study = {
  modelNames: (config) => modelNames(Object.values(parseConfig(config).scenarios).flat()),

  scenarios(data: StudyData): Scenario[] {
    const { scenarios, ...settings } = parseConfig(data.config);
    const [choose, validation, test] = [settings.chooseFrom, settings.validationFrom, settings.testFrom].map((day) => Date.parse(day));
    const events = once(() => readRetail(join(data.dataFolder, settings.file), settings, data));
    const month = async (from: number, until?: number) => {
      const { train, test: judged } = split(await events(), { by: "time", at: from, until });
      return { train, judged };
    };
    const months = [once(() => month(choose, validation)), once(() => month(validation, test)), once(() => month(test))];
    const scenario = (name: "A" | "B", chooseBy: string, judging: (of: Month) => Judging): Scenario => ({
      name,
      models: scenarios[name],
      chooseBy,
      direction: "maximize",
      validation: async () => judging(await months[0]()),
      reports: [
        { suffix: "", judgings: async () => [judging(await months[1]())] },
        { suffix: " (test month)", judgings: async () => [judging(await months[2]())] },
      ],
    });
    const { signal } = data;
    return [
      scenario("A", "precision@5", ({ train, judged }) => {
        const cases = basketCases(judged);
        return {
          train,
          async judge(model) {
            const label = "precision@5";
            const values = await segmentMeans(model, cases, { label, signal });
            const kind = async (repeats: boolean) => (await segmentMeans(model, casesOfKind(cases, train, repeats), { label, signal }))[""];
            return { [label]: { ...values, "repeat items": await kind(true), "new items": await kind(false) } };
          },
        };
      }),
      scenario("B", "accuracy@5", (of) => ({
        train: of.train,
        async judge(model, entry) {
          const cases = lineCases(of.train, of.judged, { foldIn: (entry as StudyModel & { foldIn: boolean }).foldIn });
          return { "accuracy@5": await segmentMeans(model, cases, { label: "accuracy@5", signal }) };
        },
      })),
    ];
  },
};

type Month = { train: Interactions; judged: Interactions };

/** The article's cleaning; weight 1 per invoice line. */
async function readRetail(
  file: string,
  { drop, columns }: Pick<z.output<typeof configSchema>, "drop" | "columns">,
  { signal, onProgress }: Pick<StudyData, "signal" | "onProgress">,
): Promise<Interactions> {
  const { interactions } = await readDataset(file, {
    columns: { ...columns, weight: null },
    drop,
    keepUnknownUsers: true,
    itemProperties: {},
    signal,
    onProgress,
  });
  return interactions;
}
