/**
 * Plausible mistakes, each as a structural pattern and its replacement. `$A` captures one piece of code and `$$$A` a
 * list; the replacement may use both. The patterns name what never changes: fields of documents, statuses, ids of
 * entries, reasons. Everything else is captured, so that a mutant survives a rename and a reformat.
 */
import { inClosedAccounts, inClosing } from './closing.ts';
import { inDatabase } from './databaseMutants.ts';
import { inEdits } from './editMutants.ts';
import { inGeneration } from './generationMutants.ts';
import { inHttp } from './httpMutants.ts';
import { inIdentities } from './identities.ts';
import { inLedger, inPrices } from './ledgerMutants.ts';
import { inDebts, inPaymentFunctions, inPayments, inPurchases } from './paymentMutants.ts';
import type { Mutant } from './rules.ts';
import { inPages, inSearches } from './searchMutants.ts';
import { inShares, inSharing } from './sharingMutants.ts';
import { inEnhance, inTerms } from './termsMutants.ts';
import { inImagegen, inImages, inPrompts } from './upstreamMutants.ts';

export const mutants: readonly Mutant[] = Object.entries({
  'shared/ledger': { ...inLedger, ...inIdentities, ...inClosedAccounts },
  'shared/generation': { ...inGeneration, ...inShares, ...inEdits, ...inSearches },
  'shared/sharing': inSharing,
  'shared/config/prices.ts': inPrices,
  'shared/ledger/purchaseRules.ts': inPurchases,
  'shared/ledger/creditChanges.ts': inDebts,
  'shared/payments': inPayments,
  functions: inPaymentFunctions,
  'shared/database': { ...inDatabase, ...inPages },
  'shared/imagegen': inImagegen,
  'shared/images': inImages,
  'shared/http': inHttp,
  'shared/prompts': inPrompts,
  'functions/enhance.ts': inEnhance,
  'shared/people': { ...inTerms, ...inClosing },
}).flatMap(([place, all]) => Object.entries(all).map(([name, mutant]) => ({ name, place, ...mutant })));
