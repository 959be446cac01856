/** Reports of shared images: anyone sends them, and admins close them. */
import { createHmac } from 'node:crypto';
import * as z from 'zod';
import { generationIdSchema } from '../contract/ids.ts';
import type { PageQuery } from '../contract/pages.ts';
import {
  type Report,
  type ReportRequest,
  type ResolveReportRequest,
  reportReasonSchema,
  type TakedownRequest,
} from '../contract/reports.ts';
import { recordAdminAction } from '../database/adminActions.ts';
import {
  createDocument,
  type DocumentPath,
  documentPath,
  type StoredDocument,
  updateDocument,
} from '../database/database.ts';
import { forEachDocument } from '../database/forEachDocument.ts';
import { parsePageToken, readPage, tokenTimeSchema, toNextPageToken } from '../database/pages.ts';
import { parseDocument, parseIfReadable, parseReadable } from '../database/spoiltDocuments.ts';
import { Failure } from '../errors.ts';
import { generationPath, parseGeneration } from '../generation/record.ts';
import { parseShare, sharePath } from '../generation/shares.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Services } from '../services.ts';
import { type RemovedGeneration, takeDown } from './takedown.ts';

/** Open reports that a take-down reads at once. */
const pageSize = 100;

const reportDocumentSchema = z.object({
  token: z.string(),
  uid: z.string(),
  generationId: generationIdSchema,
  reason: reportReasonSchema,
  details: z.string().optional(),
  status: z.enum(['open', 'dismissed', 'takenDown']),
  createdAt: z.date(),
  resolvedAt: z.date().optional(),
  /** The admin who closed it. */
  resolvedBy: z.string().optional(),
});
type ReportData = z.infer<typeof reportDocumentSchema>;

type ReportRecord = ReportData & { id: string };

/** @throws {UnreadableDocument} */
const parseReport = (document: StoredDocument): ReportRecord => ({
  ...parseDocument(reportDocumentSchema, document),
  id: document.id,
});

const reportPath = (id: string): DocumentPath<ReportData> => documentPath(`reports/${id}`);

/** One address reports an image once. The address itself is not kept: without the key nobody can find it from the id. */
export const hashReportId = (key: string, address: string, token: string) =>
  createHmac('sha256', key)
    .update(JSON.stringify([address, token]))
    .digest('hex')
    .slice(0, 32);

/** Keeps a report, unless there is no such share, or it is there already. @throws {Failure} DATABASE_UNAVAILABLE. */
export function addReport(
  { database, retryCommit, log }: Ledger,
  id: string,
  { token, reason, details }: ReportRequest,
): Promise<void> {
  return retryCommit(undefined, async () => {
    const { documents, readTime } = await database.read([sharePath(token), reportPath(id)]);
    const [document, existing] = documents;
    const share = parseIfReadable(log, document, parseShare);
    if (!share?.image || existing) return;
    const { uid, generationId } = share;
    const data = { token, uid, generationId, reason, status: 'open' as const, createdAt: readTime };
    await database.commit([
      createDocument(reportPath(id), { ...data, ...(details && { details }) }),
      // Changes nothing, and fails if the share has ended: a closing or a take-down would not find the report.
      updateDocument(sharePath(token), { uid }, share.version),
    ]);
  });
}

/** One page of the open reports, newest first. @throws {Failure} INVALID_REQUEST for a page token of another list. */
export async function readReports(ledger: Ledger, { pageSize, pageToken }: PageQuery) {
  const token =
    pageToken && parsePageToken(pageToken, z.tuple([tokenTimeSchema, z.string().regex(/^[0-9a-f]{32}$/)]));
  const query = {
    collection: 'reports',
    where: [['status', '==', 'open']] as const,
    orderBy: [
      ['createdAt', 'desc'],
      ['__name__', 'desc'],
    ] as const,
    ...(token && { after: [new Date(token[0]), token[1]] }),
  };
  const { items, last } = await readPage(ledger, pageSize, query, parseReport);
  const nextPageToken = toNextPageToken(last, ({ data, id }) => [data.createdAt, id]);
  return { reports: await showReports(ledger, items), ...nextPageToken };
}

/** Reports as the API shows them, each with its image as it is now. */
async function showReports(
  { database, retryCommit, log }: Ledger,
  reports: readonly ReportRecord[],
): Promise<Report[]> {
  const paths = [...new Set(reports.map(({ uid, generationId }) => generationPath(uid, generationId)))];
  if (paths.length === 0) return [];
  const generations = await retryCommit(undefined, () => database.read(paths));
  const found = generations.documents.filter((document) => document !== undefined);
  const images = new Map(
    parseReadable(log, found, parseGeneration).map(({ uid, id, image }) => [generationPath(uid, id), image]),
  );
  return reports.map(({ createdAt, resolvedAt: _, resolvedBy: _by, ...report }) => ({
    ...report,
    createdAt: createdAt.toISOString(),
    image: images.get(generationPath(report.uid, report.generationId)) ?? null,
  }));
}

/**
 * Closes a report. A take-down comes first and may be repeated, so that a repeated call finishes what a crash left. A
 * report that is closed as `takenDown` stays that.
 * @throws {Failure} NOT_FOUND; what `takeDown` throws; DATABASE_UNAVAILABLE.
 */
export async function closeReport(
  services: Services,
  { id, resolution }: ResolveReportRequest,
  actor: string,
): Promise<Report> {
  const ledger = await services.ledger();
  const { report: found } = await ledger.retryCommit(undefined, () => findReport(ledger, id));
  if (resolution === 'takenDown') {
    const { uid, generationId, reason } = found;
    await takeDownReported(services, { uid, generationId, reason }, actor);
  }
  const [report] = await showReports(ledger, [await resolve(ledger, { id, resolution }, actor)]);
  return report as Report;
}

/**
 * Removes an image, and closes the open reports of it and of all that showed it. May be repeated.
 * @throws {Failure} what `takeDown` throws.
 */
export async function takeDownReported(
  services: Services,
  request: TakedownRequest,
  actor: string,
): Promise<RemovedGeneration> {
  const record = await takeDown(services, request, actor);
  const ledger = await services.ledger();
  const { uid } = request;
  const scan = {
    query: {
      collection: 'reports',
      where: [
        ['uid', '==', uid],
        ['status', '==', 'open'],
      ] as const,
      orderBy: [['__name__', 'asc']] as const,
    },
    cursor: ({ id }: StoredDocument) => [id],
    pageSize,
    mayContinue: () => true,
  };
  await forEachDocument(ledger, scan, async (document) => {
    const { id, generationId } = parseReport(document);
    const { documents } = await ledger.retryCommit(undefined, () =>
      ledger.database.read([generationPath(uid, generationId)]),
    );
    // An admin may have spoilt or deleted the document.
    const isRemoved = generationId === request.generationId || documents[0]?.data.removedBy !== undefined;
    if (isRemoved) await resolve(ledger, { id, resolution: 'takenDown' }, actor);
  });
  return record;
}

function resolve(
  ledger: Ledger,
  { id, resolution }: ResolveReportRequest,
  actor: string,
): Promise<ReportRecord> {
  return ledger.retryCommit(undefined, async () => {
    const { report, readTime, version } = await findReport(ledger, id);
    if (report.status === resolution || report.status === 'takenDown') return report;
    const { uid, generationId } = report;
    const fields = { status: resolution, resolvedAt: readTime, resolvedBy: actor };
    await ledger.database.commit([
      updateDocument(reportPath(id), fields, version),
      recordAdminAction(`${id}:${resolution}`, {
        action: 'resolveReport',
        actor,
        uid,
        generationId,
        reason: resolution,
        createdAt: readTime,
      }),
    ]);
    return { ...report, ...fields };
  });
}

async function findReport({ database }: Ledger, id: string) {
  const { documents, readTime } = await database.read([reportPath(id)]);
  const [document] = documents;
  if (!document) throw new Failure('NOT_FOUND', 'There is no such report.');
  return { report: parseReport(document), version: document.version, readTime };
}
