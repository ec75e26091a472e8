// All kernels of one module. Every export has the shape (begin, end, scratchPointer, ...arguments) and keeps no globals,
// so that any number of threads can run it on one memory. Built by scripts/build-kernels.mjs.
export { adam } from "./adam";
export { addRows } from "./add-rows";
export { gramFinish, gramPartials } from "./gram";
export { alsBlock } from "./als-block";
export { alsCg } from "./als-cg";
export { alsCholesky } from "./als-cholesky";
export { alsLoss, ridgeLoss } from "./als-loss";
export { packItems, topKScan } from "./top-k";
export { topKBatch } from "./top-k-batch";
export { clearNeighbours, sortNeighbours, sparseNeighbours } from "./sparse-neighbours";
export { packInt4, topKInt4 } from "./top-k-int4";
export { measureBlocks, topKInt16 } from "./top-k-int16";
export { easeRows, easeScales } from "./ease";
export { gramRowCounts, gramRows, gramTiles } from "./item-gram";
export { sweepPanel, sweepPivot, sweepUpdate } from "./symmetric-inverse";
export { slimItems } from "./slim";
export { peakFlops } from "./peak-flops";
export { readBandwidth } from "./read-bandwidth";
export { ratingAls, ratingErrors } from "./rating-als";
export { ratingImplicitSums, ratingSgd, ratingSgdImplicit } from "./rating-sgd";
export { rankingSgdDeal, rankingSgdEpoch } from "./ranking-sgd";
export { rankingSgdFoldIn } from "./ranking-sgd-fold-in";
export { sumOfSquares } from "./sum-of-squares";
export { ultraGcn } from "./ultra-gcn";
