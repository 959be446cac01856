/** Every function, by its deployed name. Each is loaded at its first request. */
import type { FunctionModule } from '../shared/http/server.ts';

export const functions: Record<string, FunctionModule> = {
  health: async () => (await import('./health.ts')).health,
  account: async () => (await import('./account.ts')).account,
  ledger: async () => (await import('./ledger.ts')).ledger,
  enhance: async () => (await import('./enhance.ts')).enhance,
  generate: async () => (await import('./generate.ts')).generate,
  generation: async () => (await import('./generation.ts')).generation,
  gallery: async () => (await import('./gallery.ts')).gallery,
  deleteGeneration: async () => (await import('./deleteGeneration.ts')).deleteGeneration,
  acceptTerms: async () => (await import('./acceptTerms.ts')).acceptTerms,
  closeAccount: async () => (await import('./closeAccount.ts')).closeAccount,
  exportAccount: async () => (await import('./exportAccount.ts')).exportAccount,
  grant: async () => (await import('./grant.ts')).grant,
  suspend: async () => (await import('./suspend.ts')).suspend,
  audit: async () => (await import('./audit.ts')).audit,
  checkQuota: async () => (await import('./checkQuota.ts')).checkQuota,
  refillAllowances: async () => (await import('./refillAllowances.ts')).refillAllowances,
  sweepHolds: async () => (await import('./sweepHolds.ts')).sweepHolds,
  accountWritten: { event: async () => (await import('./accountWritten.ts')).accountWritten },
  reconcile: async () => (await import('./reconcile.ts')).reconcile,
};
