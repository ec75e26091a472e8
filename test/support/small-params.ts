/** Parameters under which models that take long by default are fitted in tests of what all models have in common. */
export const smallParams: Record<string, Record<string, unknown>> = {
  als: { factors: 8, iterations: 2 },
  "mult-vae": { hidden: 12, latent: 5, epochs: 3, batchSize: 8 },
  dcn: { dimensions: 4, deepWidth: 8, negatives: 2, epochs: 2 },
  deepfm: { dimensions: 4, deepWidth: 8, negatives: 2, epochs: 2 },
  sasrec: { dimensions: 8, blocks: 1, epochs: 3 },
  gru: { dimensions: 8, units: 6, userDimensions: 4, maxLength: 4, epochs: 3 },
  lstm: { dimensions: 8, units: 6, layers: 2, maxLength: 4, epochs: 3 },
  "user-retrieval": { dimensions: 8, stepsPerEpoch: 10, epochs: 3 },
  "two-tower": { dimensions: 8, epochs: 3 },
};
