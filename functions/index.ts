/** The contents page: every function by the name it is deployed under. */
import type { FunctionModule } from '../shared/server.ts';

export const functions = {
  health: async () => (await import('./health.ts')).health,
  account: async () => (await import('./account.ts')).account,
  ledger: async () => (await import('./ledger.ts')).ledger,
  generate: async () => (await import('./generate.ts')).generate,
  generation: async () => (await import('./generation.ts')).generation,
  gallery: async () => (await import('./gallery.ts')).gallery,
  deleteGeneration: async () => (await import('./deleteGeneration.ts')).deleteGeneration,
} satisfies Record<string, FunctionModule>;
