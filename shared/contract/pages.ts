/** Lists in pages. */
import * as z from 'zod';
import { describe, wholeNumberText } from './describe.ts';

export const pageSizeDefault = 20;

export const pageSizeMax = 100;

const pageSizeText = wholeNumberText(1, pageSizeMax);

export const pageQuerySchema = z.strictObject({
  pageSize: describe(
    'The most items on the page.',
    z.coerce
      .number({ error: pageSizeText })
      .int({ error: pageSizeText, abort: true })
      .min(1, pageSizeText)
      .max(pageSizeMax, pageSizeText)
      .default(pageSizeDefault),
  ),
  pageToken: describe(
    'The `nextPageToken` of the previous page. Leave it out for the first page.',
    z
      .string()
      .min(1, { error: 'must not be empty', abort: true })
      .max(1024, { error: 'is not a page token', abort: true })
      .regex(/^[\w-]+$/, 'is not a page token')
      .optional(),
  ),
});

export type PageQuery = z.infer<typeof pageQuerySchema>;

export const nextPageTokenSchema = describe(
  'The `pageToken` of the next page. Absent on the last page.',
  z.string().optional(),
);
