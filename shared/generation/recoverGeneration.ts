/** A generation with a document that an edit in the console has spoilt or deleted. */
import { statusSchema } from '../contract/generation.ts';
import type { StoredDocument } from '../database/database.ts';
import { type GenerationData, type GenerationRecord, generationDocumentSchema, toRecord } from './record.ts';

/** What stands for the fields that a generation always has. Without an image it is as good as deleted. */
const harmlessData: GenerationData = {
  status: 'deleted',
  owner: '',
  deadline: new Date(0),
  fingerprint: '',
  tier: 'standard',
  orientation: 'landscape',
  credits: 0,
  prompt: null,
  enhancedPrompt: null,
  request: { enhance: false, fresh: false, references: [] },
  model: null,
  cached: false,
  publicId: '',
  image: null,
  failure: null,
  providerCostMicros: 0,
  receipt: { charged: 0, refunded: 0, balance: 0, sequence: 0 },
  createdAt: new Date(0),
  finishedAt: null,
};

/** A generation as far as its fields can be read, even if an admin has spoilt some of them. */
export function recoverGeneration({ path, id, data, version }: StoredDocument): GenerationRecord {
  const { shape } = generationDocumentSchema;
  const read = (name: keyof GenerationData) => shape[name].safeParse(data[name]).data ?? harmlessData[name];
  const names = Object.keys(shape) as (keyof GenerationData)[];
  const fields = Object.fromEntries(names.map((name) => [name, read(name)])) as GenerationData;
  const isShown = fields.image !== null && !statusSchema.safeParse(data.status).success;
  return toRecord(
    path.split('/')[1] ?? '',
    id,
    { ...fields, ...(isShown && { status: 'succeeded' }) },
    version,
  );
}

/** A generation of which only the id is left. */
export function recoverMissing(uid: string, id: string): Omit<GenerationRecord, 'version'> {
  const { owner: attemptId, ...data } = harmlessData;
  return { ...data, attemptId, uid, id };
}
