/** Parameters under which models that take long by default are fitted in tests of what all models have in common. */
export const smallParams: Record<string, Record<string, unknown>> = {
  als: { factors: 8, iterations: 2 },
  "mult-vae": { hidden: 12, latent: 5, epochs: 3, batchSize: 8 },
  sasrec: { dimensions: 8, blocks: 1, epochs: 3 },
};
