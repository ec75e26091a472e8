/**
 * TPE, the tree-structured Parzen estimator: finished trials are cut into the good ones and the others; two densities
 * l (good) and g (others) are estimated over the axes, and of some candidates drawn from l the one with the largest
 * l(x) / g(x) is tried, which is the one with the largest expected improvement.
 * Bergstra, Bardenet, Bengio & Kégl (2011), Algorithms for hyper-parameter optimization. The densities are joint ones
 * (a mixture of one product kernel per trial and a uniform prior), as Falkner, Klein & Hutter (2018) and Watanabe (2023) advise.
 */
import { createParzen, type ParzenOptions } from "./parzen.js";
import { type Sampler, sobolStart } from "./sampler.js";
import { type Point, paramsAt } from "./search-space.js";

export interface TpeOptions extends ParzenOptions {
  /** Trials spread by Sobol points before the densities are used. Default 10. */
  startupTrials?: number;
  /** Drawn from l for each proposal. Default 24. */
  candidates?: number;
  /** Of n finished trials, max(1, ⌈gamma · n⌉) are the good ones, at most 25. Default 0.15. */
  gamma?: number;
}

export function tpeSampler({ startupTrials = 10, candidates = 24, gamma = 0.15, ...parzen }: TpeOptions = {}): Sampler {
  return {
    name: "tpe",
    propose({ space, axes, index, seed, random, ranked, pending }) {
      if (index < startupTrials || ranked.length < 2) return paramsAt(space, axes, sobolStart(axes, index, seed));
      const numGood = Math.min(25, Math.max(1, Math.ceil(gamma * ranked.length)));
      const good = createParzen(axes, ranked.slice(0, numGood), parzen);
      const others = createParzen(axes, [...ranked.slice(numGood), ...pending], parzen); // the constant liar: pending ones count as bad
      let best: Point = [];
      let bestRatio = Number.NEGATIVE_INFINITY;
      for (let c = 0; c < candidates; c++) {
        const point = good.draw(random);
        const ratio = good.logDensity(point) - others.logDensity(point);
        if (ratio > bestRatio) [best, bestRatio] = [point, ratio];
      }
      return paramsAt(space, axes, best);
    },
  };
}
