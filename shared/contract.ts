/**
 * The contract: the requests and answers of the functions as zod schemas, and their types. The API reference is made
 * from the descriptions; `npm run api` writes it again after a change. The page, other clients and tests import this file.
 * Functions import the file in `contract/` that they need, because making a schema takes time at each cold start.
 */
export * from './contract/account.ts';
export * from './contract/admin.ts';
export * from './contract/describe.ts';
export * from './contract/desk.ts';
export * from './contract/enhance.ts';
export * from './contract/errors.ts';
export * from './contract/exportAccount.ts';
export * from './contract/generate.ts';
export * from './contract/generation.ts';
export * from './contract/health.ts';
export * from './contract/ids.ts';
export * from './contract/jobs.ts';
export * from './contract/ledger.ts';
export * from './contract/models.ts';
export * from './contract/pages.ts';
export * from './contract/payments.ts';
export * from './contract/references.ts';
export * from './contract/reports.ts';
export * from './contract/sharing.ts';
export * from './contract/text.ts';
export * from './contract/tiers.ts';
