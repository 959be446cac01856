/** The shapes of requests and answers as JSON schemas, by the names under which the document refers to them. */
import { z } from 'zod';
import * as contract from '../../shared/contract.ts';
import { fields } from './fields.ts';

/** As much of JSON Schema as is used here. */
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
  GrantRequest: contract.grantRequestSchema,
};

const answers = {
  HealthAnswer: contract.healthAnswerSchema,
  AccountAnswer: contract.accountAnswerSchema,
  LedgerAnswer: contract.ledgerAnswerSchema,
  EnhanceAnswer: contract.enhanceAnswerSchema,
  GenerateAnswer: contract.generateAnswerSchema,
  GenerationAnswer: contract.generationAnswerSchema,
  GalleryAnswer: contract.galleryAnswerSchema,
  GrantAnswer: contract.grantAnswerSchema,
  AuditAnswer: contract.auditAnswerSchema,
  QuotaAnswer: contract.quotaAnswerSchema,
  RefillAnswer: contract.refillAnswerSchema,
  SweepAnswer: contract.sweepAnswerSchema,
  ReconcileAnswer: contract.reconcileAnswerSchema,
  Generation: contract.generationSchema,
  Status: contract.statusSchema,
  Image: contract.imageSchema,
  Receipt: contract.receiptSchema,
  Account: contract.accountSchema,
  TierOffer: contract.tierOfferSchema,
  Limits: contract.limitsSchema,
  Entry: contract.entrySchema,
  EntryType: contract.entryTypeSchema,
  Audit: contract.auditSchema,
};

/** What zod checks by code: nearly the same in words of JSON Schema, which count characters as we do. */
const checkedByCode: Record<string, Schema> = {
  'EnhanceRequest.prompt': { minLength: 1, maxLength: contract.promptCharactersMax },
  'GenerateRequest.prompt': { minLength: 1, maxLength: contract.promptCharactersMax },
  'GrantRequest.reason': { minLength: 1 },
};

const names = new Map<z.ZodType, string>(
  Object.entries({ ...both, ...requests, ...answers }).map(([name, schema]) => [schema, name]),
);

export const refTo = (name: string) => `#/components/schemas/${name}`;

/** The name of a schema. @throws {Error} where it has none here yet. */
export function nameOf(schema: z.ZodType, whose: string): string {
  const name = names.get(schema);
  if (name === undefined) throw new Error(`${whose}: its schema has no name in tools/openapi/schemas.ts`);
  return name;
}

/** Every named schema, described field by field. @param used gets the keys of the words that were of use. */
export function namedSchemas(used: Set<string>): Record<string, Schema> {
  const all = { ...toJson({ ...both, ...requests }, 'input'), ...toJson({ ...both, ...answers }, 'output') };
  return Object.fromEntries(
    [...names.values()].map((name) => [name, described(all[name] as Schema, name, used)]),
  );
}

/** What a client may send for a schema. */
export function schemaOf(schema: z.ZodType): Schema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', override: tidy });
  return rest as Schema;
}

/** The fields of a query as they are sent. */
export function queryFields(schema: z.ZodType, used: Set<string>) {
  const { properties = {}, required = [] } = schemaOf(schema);
  return Object.entries(properties).map(([name, shape]) => ({
    name,
    required: required.includes(name),
    description: wordsFor(`query.${name}`, used),
    schema: shape,
  }));
}

function toJson(schemas: Record<string, z.ZodType>, io: 'input' | 'output'): Record<string, Schema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, { io, uri: refTo, override: tidy });
  return Object.fromEntries(
    Object.entries(made.schemas).map(([name, schema]) => {
      const { $id: _id, $schema: _schema, ...rest } = schema;
      return [name, (io === 'output' ? open(rest as Schema) : rest) as Schema];
    }),
  );
}

/** Takes away what only says how JavaScript counts, and what a format says already. */
function tidy({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.type === 'integer' && jsonSchema.exclusiveMinimum === 0) {
    delete jsonSchema.exclusiveMinimum;
    jsonSchema.minimum = 1;
  }
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
}

/** An answer may get further fields without breaking a client that was made from this document. */
function open(schema: Schema): Schema {
  const { additionalProperties: _, ...rest } = schema;
  if (rest.properties) {
    rest.properties = Object.fromEntries(
      Object.entries(rest.properties).map(([name, field]) => [name, open(field)]),
    );
  }
  if (rest.items) rest.items = open(rest.items);
  if (rest.anyOf) rest.anyOf = rest.anyOf.map(open);
  return rest;
}

function described(schema: Schema, path: string, used: Set<string>): Schema {
  const words = path.endsWith('[]') ? {} : { description: wordsFor(path, used) };
  const known = { ...words, ...within(schema, path, used) };
  return { ...known, ...checkedByCode[path] };
}

/** A schema with its fields described, itself not. */
function within(schema: Schema, path: string, used: Set<string>): Schema {
  const inside = { ...schema };
  if (schema.properties) {
    inside.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, field]) => [
        name,
        described(field, `${path}.${name}`, used),
      ]),
    );
  }
  if (schema.items?.properties) inside.items = within(schema.items, `${path}[]`, used);
  if (schema.anyOf) inside.anyOf = schema.anyOf.map((one) => within(one, path, used));
  return inside;
}

function wordsFor(path: string, used: Set<string>): string {
  const words = fields[path];
  if (words === undefined) throw new Error(`${path} has no description in tools/openapi/fields.ts`);
  used.add(path);
  return words;
}

/** @throws {Error} for words about a field that does not exist (any more). */
export function refuseUnusedWords(used: Set<string>): void {
  const unused = Object.keys(fields).filter((path) => !used.has(path));
  if (unused.length > 0) throw new Error(`tools/openapi/fields.ts describes what is not there: ${unused}`);
}
