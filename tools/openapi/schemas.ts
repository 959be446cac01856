/** The schemas of shared/contract.ts as JSON Schema, each under the name that the document uses for it. */
import { z } from 'zod';
import * as contract from '../../shared/contract.ts';

/** The part of JSON Schema that is used here. */
export type Schema = {
  $ref?: string;
  type?: string | string[];
  description?: string;
  format?: string;
  pattern?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  minItems?: number;
  items?: Schema;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
};

const both = {
  Tier: contract.tierSchema,
  Orientation: contract.orientationSchema,
};

const requests = {
  EnhanceRequest: contract.enhanceRequestSchema,
  GenerateRequest: contract.generateRequestSchema,
  Reference: contract.referenceSchema,
  DeleteGenerationRequest: contract.deleteGenerationRequestSchema,
  FavouriteRequest: contract.favouriteRequestSchema,
  ShareRequest: contract.shareRequestSchema,
  ReportRequest: contract.reportRequestSchema,
  TakedownRequest: contract.takedownRequestSchema,
  ResolveReportRequest: contract.resolveReportRequestSchema,
  SuspendRequest: contract.suspendRequestSchema,
  CheckoutRequest: contract.checkoutRequestSchema,
  ConfirmCheckoutRequest: contract.confirmCheckoutRequestSchema,
  BillingPortalRequest: contract.billingPortalRequestSchema,
  GrantRequest: contract.grantRequestSchema,
  AcceptTermsRequest: contract.acceptTermsRequestSchema,
  CloseAccountRequest: contract.closeAccountRequestSchema,
};

const answers = {
  HealthAnswer: contract.healthAnswerSchema,
  AccountAnswer: contract.accountAnswerSchema,
  LedgerAnswer: contract.ledgerAnswerSchema,
  EnhanceAnswer: contract.enhanceAnswerSchema,
  GenerateAnswer: contract.generateAnswerSchema,
  GenerationAnswer: contract.generationAnswerSchema,
  GalleryAnswer: contract.galleryAnswerSchema,
  SharedImagePage: contract.sharedImagePageSchema,
  ReportAnswer: contract.reportAnswerSchema,
  ReportsAnswer: contract.reportsAnswerSchema,
  ResolveReportAnswer: contract.resolveReportAnswerSchema,
  SuspendAnswer: contract.suspendAnswerSchema,
  PacksAnswer: contract.packsAnswerSchema,
  CheckoutAnswer: contract.checkoutAnswerSchema,
  ConfirmCheckoutAnswer: contract.confirmCheckoutAnswerSchema,
  BillingPortalAnswer: contract.billingPortalAnswerSchema,
  WebhookAnswer: contract.webhookAnswerSchema,
  OverviewAnswer: contract.overviewAnswerSchema,
  AdminAccountsAnswer: contract.adminAccountsAnswerSchema,
  AdminAccountAnswer: contract.adminAccountAnswerSchema,
  GrantAnswer: contract.grantAnswerSchema,
  AuditAnswer: contract.auditAnswerSchema,
  QuotaAnswer: contract.quotaAnswerSchema,
  RefillAnswer: contract.refillAnswerSchema,
  SweepAnswer: contract.sweepAnswerSchema,
  ReconcileAnswer: contract.reconcileAnswerSchema,
  AcceptTermsAnswer: contract.acceptTermsAnswerSchema,
  CloseAccountAnswer: contract.closeAccountAnswerSchema,
  ExportAnswer: contract.exportAnswerSchema,
  ReconcilePaymentsAnswer: contract.reconcilePaymentsAnswerSchema,
  Pack: contract.packSchema,
  Generation: contract.generationSchema,
  Status: contract.statusSchema,
  Image: contract.imageSchema,
  Receipt: contract.receiptSchema,
  Account: contract.accountSchema,
  TierOffer: contract.tierOfferSchema,
  Limits: contract.limitsSchema,
  Terms: contract.termsSchema,
  Entry: contract.entrySchema,
  AdminEntry: contract.adminEntrySchema,
  EntryType: contract.entryTypeSchema,
  Audit: contract.auditSchema,
  Report: contract.reportSchema,
};

const names = new Map<z.ZodType, string>(
  Object.entries({ ...both, ...requests, ...answers }).map(([name, schema]) => [schema, name]),
);

export const refTo = (name: string) => `#/components/schemas/${name}`;

/** The name that a `$ref` ends with. Empty if there is none. */
export const refName = ({ $ref = '' }: Schema) => $ref.split('/').at(-1) ?? '';

/** The name of a function's schema. @throws {Error} if it has none. */
export function getSchemaName(schema: z.ZodType, functionName: string): string {
  const name = names.get(schema);
  if (name === undefined) {
    throw new Error(`A schema of ${functionName} has no name in tools/openapi/schemas.ts`);
  }
  return name;
}

/** Every named schema. @throws {Error} if one of them, or one of their fields, has no description. */
export function namedSchemas(): Record<string, Schema> {
  const all = { ...toJson({ ...both, ...requests }, 'input'), ...toJson({ ...both, ...answers }, 'output') };
  return Object.fromEntries(
    [...names.values()].map((name) => [name, withDescriptions(name, all[name] ?? {}, all)]),
  );
}

/** What a client may send for a schema. */
export function toInputSchema(schema: z.ZodType): Schema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', override: tidy });
  return rest as Schema;
}

/** The fields of a query. @throws {Error} if one has no description. */
export function queryFields(schema: z.ZodType) {
  const { properties = {}, required = [] } = toInputSchema(schema);
  return Object.entries(properties).map(([name, field]) => {
    const { description, ...rest } = withDescriptions(`the query field ${name}`, field, {});
    return { name, required: required.includes(name), description: description ?? '', schema: rest };
  });
}

function toJson(schemas: Record<string, z.ZodType>, io: 'input' | 'output'): Record<string, Schema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const json = z.toJSONSchema(registry, { io, uri: refTo, override: tidy });
  return Object.fromEntries(
    Object.entries(json.schemas).map(([name, schema]) => {
      const { $id: _id, $schema: _schema, ...rest } = schema;
      return [name, (io === 'output' ? allowMoreFields(rest as Schema) : rest) as Schema];
    }),
  );
}

/** Removes limits that only describe JavaScript's numbers, and patterns that repeat a format. */
function tidy({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.type === 'integer' && jsonSchema.exclusiveMinimum === 0) {
    delete jsonSchema.exclusiveMinimum;
    jsonSchema.minimum = 1;
  }
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
}

/** Answers may get new fields. A client that was generated from the document must not refuse them. */
function allowMoreFields(schema: Schema): Schema {
  const { additionalProperties: _, ...rest } = schema;
  if (rest.properties) rest.properties = mapValues(rest.properties, allowMoreFields);
  if (rest.items) rest.items = allowMoreFields(rest.items);
  if (rest.anyOf) rest.anyOf = rest.anyOf.map(allowMoreFields);
  return rest;
}

/** The schema with its description first. A reference to a named schema has the description of that schema. */
function withDescriptions(path: string, schema: Schema, all: Record<string, Schema>): Schema {
  const description = schema.description ?? all[refName(schema)]?.description;
  if (description === undefined) throw new Error(`${path} has no description in shared/contract/`);
  return { description, ...withFieldDescriptions(path, schema, all) };
}

function withFieldDescriptions(path: string, schema: Schema, all: Record<string, Schema>): Schema {
  const { description: _, ...rest } = schema;
  if (rest.properties) {
    rest.properties = mapValues(rest.properties, (field, name) =>
      withDescriptions(`${path}.${name}`, field, all),
    );
  }
  if (rest.items) rest.items = withFieldDescriptions(`${path}[]`, rest.items, all);
  if (rest.anyOf) rest.anyOf = rest.anyOf.map((option) => withFieldDescriptions(path, option, all));
  return rest;
}

const mapValues = (schemas: Record<string, Schema>, change: (schema: Schema, name: string) => Schema) =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, change(schema, name)]));
