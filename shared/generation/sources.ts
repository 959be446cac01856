/** The finished images of the caller's own that a request uses: the one that it edits, and those it refers to. */
import { countOf } from '../contract/describe.ts';
import type { GenerateRequest } from '../contract/generate.ts';
import { ancestorsMax, type Image } from '../contract/generation.ts';
import { referenceBytesMax } from '../contract/references.ts';
import type { Log } from '../core/log.ts';
import { parseIfReadable } from '../database/spoiltDocuments.ts';
import { Failure, invalidRequest } from '../errors.ts';
import type { PreviousTurn, Reference } from '../imagegen/previousTurn.ts';
import type { Documents } from '../ledger/command.ts';
import { type GenerationRecord, generationPath, parseGeneration } from './record.ts';

/** A generation that has an image. */
export type Source = GenerationRecord & { image: Image };

/** The sources of a request by their id, as far as they are there. */
export type Sources = ReadonlyMap<string, Source>;

/** What the model gets besides the prompt. */
export type LoadedReferences = {
  references: Reference[];
  /** Set if the first reference is the model's own work, and may be sent as such. */
  previousTurn?: PreviousTurn;
  /** Positions of the references that are smaller versions. */
  reducedReferences: number[];
};

/**
 * Most bytes of a smaller version of an image. So much of `referenceBytesMax` is kept for every source, so that as many
 * sources as any model takes always fit.
 */
export const smallerBytesMax = 1_000_000;

/**
 * Most bytes of one image that is sent in a request. Vertex AI takes "7 MB" of inline data for each file of its image
 * models (docs.cloud.google.com, image understanding, read on 2026-11-26). The Gemini API limits the whole request only.
 */
export const getSentBytesMax = ({ gemini }: { gemini: { vertexAi: boolean } }) =>
  gemini.vertexAi ? 7_000_000 : referenceBytesMax;

/** Every image of a request in the order in which the model gets them: the edited one first. */
export type SentImage = GenerateRequest['references'][number];
export function listImages({ editOf, references }: GenerateRequest): SentImage[] {
  return [...(editOf === undefined ? [] : [{ generationId: editOf }]), ...references];
}

const listSourceIds = (request: GenerateRequest) => [
  ...new Set(listImages(request).flatMap((image) => ('generationId' in image ? [image.generationId] : []))),
];

/** Paths of the documents of all sources. */
export const listSourcePaths = (uid: string, request: GenerateRequest) =>
  listSourceIds(request).map((id) => generationPath(uid, id));

/** The sources among the documents. One whose document is spoilt counts as missing. */
export function findSources(log: Log, uid: string, request: GenerateRequest, documents: Documents): Sources {
  const found = listSourceIds(request).flatMap((id): [string, Source][] => {
    const document = documents.get(generationPath(uid, id));
    const record = parseIfReadable(log, document, parseGeneration);
    const image = record?.status === 'succeeded' ? record.image : null;
    return record && image ? [[id, { ...record, image }]] : [];
  });
  return new Map(found);
}

/** Refuses an edit of anything but a finished image of the caller's own. */
export function refuseParent({ editOf }: GenerateRequest, sources: Sources): Failure | undefined {
  if (editOf === undefined || sources.has(editOf)) return undefined;
  return new Failure('NOT_FOUND', 'There is no such image to edit.');
}

/** Refuses references that are no finished images of the caller's own, and more bytes than one request may have. */
export function refuseSources(request: GenerateRequest, sources: Sources): Failure | undefined {
  if (listSourceIds(request).some((id) => !sources.has(id))) return missingSource();
  if (planSizes(listImages(request), sources).bytesLeft >= 0) return undefined;
  const description = `must have at most ${countOf(referenceBytesMax, 'byte')} together`;
  return invalidRequest([{ field: 'references', description }]);
}

export const missingSource = () => new Failure('NOT_FOUND', 'There is no such image to refer to.');

/** The ancestors of an edit of this image, newest first. */
export const toAncestors = ({ id, ancestors = [] }: GenerationRecord) =>
  [id, ...ancestors].slice(0, ancestorsMax);

/** Which sources are too large to send as they are. */
export type SizePlan = {
  /** Positions of the images that are sent smaller. */
  smaller: ReadonlySet<number>;
  /** Most bytes of each of them. */
  smallerBytesMax: number;
  /** Bytes that no image needs; below 0 the images of the request itself are too large. */
  bytesLeft: number;
};

/**
 * Plans how all images of a request fit into `referenceBytesMax`, which one request of the model can carry. Images in the
 * request itself are sent as they are. Of the sources, the first image is kept whole if it fits, then the smallest ones. The
 * others are sent smaller, and share what is left.
 * @param sentBytesMax most bytes of one image.
 */
export function planSizes(
  images: readonly SentImage[],
  sources: Sources,
  sentBytesMax = referenceBytesMax,
): SizePlan {
  const sizes = images.map((image, position) => {
    const isInline = 'data' in image;
    const bytes = isInline
      ? Buffer.byteLength(image.data, 'base64')
      : (sources.get(image.generationId)?.image.bytes ?? 0);
    return { position, bytes, least: isInline ? bytes : Math.min(bytes, smallerBytesMax) };
  });
  let bytesLeft = referenceBytesMax - sizes.reduce((sum, { least }) => sum + least, 0);
  const smaller = new Set<number>();
  const bySize = sizes.toSorted(
    (a, b) => Number(b.position === 0) - Number(a.position === 0) || a.bytes - b.bytes,
  );
  for (const { position, bytes, least } of bySize) {
    const more = bytes - least;
    if (more > 0 && (more > bytesLeft || bytes > sentBytesMax)) smaller.add(position);
    else bytesLeft -= more;
  }
  const share = smaller.size > 0 ? Math.floor(Math.max(0, bytesLeft) / smaller.size) : 0;
  return { smaller, smallerBytesMax: Math.min(smallerBytesMax + share, sentBytesMax), bytesLeft };
}
