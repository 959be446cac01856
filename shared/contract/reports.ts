/** Reports of shared images, and take-downs. */
import * as z from 'zod';
import { describe, time } from './describe.ts';
import { imageSchema } from './generation.ts';
import { generationIdSchema, shareTokenSchema, uidSchema } from './ids.ts';
import { nextPageTokenSchema } from './pages.ts';
import { reasonSchema, textSchema } from './text.ts';

export const reportReasonSchema = describe(
  'What is wrong with the image.',
  z.enum(['illegal', 'sexual', 'violence', 'personal', 'copyright', 'other'], {
    error: 'must be one of illegal, sexual, violence, personal, copyright, other',
  }),
);

export type ReportReason = z.infer<typeof reportReasonSchema>;

/** The longest `details` of a report, characters. */
export const reportDetailsCharactersMax = 2_000;

export const reportRequestSchema = describe(
  'The shared image and what is wrong with it.',
  z.strictObject({
    token: shareTokenSchema,
    reason: reportReasonSchema,
    details: describe(
      'In words. Not empty.',
      textSchema(8_000)
        .refine(
          (details) => details.length <= reportDetailsCharactersMax,
          `must have at most ${reportDetailsCharactersMax} characters`,
        )
        .optional(),
      { minLength: 1, maxLength: reportDetailsCharactersMax },
    ),
  }),
);

export type ReportRequest = z.infer<typeof reportRequestSchema>;

export const takedownRequestSchema = describe(
  'The image to remove, and why.',
  z.strictObject({
    uid: uidSchema,
    generationId: generationIdSchema,
    reason: reasonSchema('Why, for the user and for the record of what admins did. Not empty.'),
  }),
);

export type TakedownRequest = z.infer<typeof takedownRequestSchema>;

const reportIdSchema = describe(
  "The report's id.",
  z.string({ error: 'must be the id of a report' }).regex(/^[0-9a-f]{32}$/, 'is not the id of a report'),
);

export const resolveReportRequestSchema = describe(
  'The report and how it ends.',
  z.strictObject({
    id: reportIdSchema,
    resolution: describe(
      '`takenDown` removes the image everywhere.',
      z.enum(['dismissed', 'takenDown'], { error: 'must be dismissed or takenDown' }),
    ),
  }),
);

export type ResolveReportRequest = z.infer<typeof resolveReportRequestSchema>;

export const reportAnswerSchema = describe(
  'The same whether the image exists or not.',
  z.strictObject({ received: describe('Always true.', z.literal(true)) }),
);

export const reportSchema = describe(
  'A report of a shared image.',
  z.strictObject({
    id: reportIdSchema,
    createdAt: time('When the report came.'),
    token: shareTokenSchema,
    uid: describe('The user who shared the image.', z.string()),
    generationId: generationIdSchema,
    reason: reportReasonSchema,
    details: describe('What the reporter wrote, if anything.', z.string().optional()),
    status: describe('`open` until an admin closes the report.', z.enum(['open', 'dismissed', 'takenDown'])),
    image: describe('The image. Null if it is gone.', imageSchema.nullable()),
  }),
);

export type Report = z.infer<typeof reportSchema>;

export const reportsAnswerSchema = describe(
  'A page of open reports.',
  z.strictObject({
    reports: describe('Newest first.', z.array(reportSchema)),
    nextPageToken: nextPageTokenSchema,
  }),
);

export type ReportsAnswer = z.infer<typeof reportsAnswerSchema>;

export const resolveReportAnswerSchema = describe(
  'The closed report.',
  z.strictObject({ report: reportSchema }),
);

export type ResolveReportAnswer = z.infer<typeof resolveReportAnswerSchema>;
