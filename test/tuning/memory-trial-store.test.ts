import { createMemoryTrialStore } from "../../src/tuning/memory-trial-store.js";
import { trialStoreContract } from "../contracts/trial-store.js";

trialStoreContract("memory", async () => createMemoryTrialStore());
