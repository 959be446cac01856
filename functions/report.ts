import { randomBytes } from 'node:crypto';
import { reportAnswerSchema, reportRequestSchema } from '../shared/contract.ts';
import { imageReportLimit, reportLimit } from '../shared/core/rateLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { addReport, hashReportId } from '../shared/sharing/reports.ts';

/** Without a configured key the same report may be kept once by each process. */
const processKey = randomBytes(32).toString('hex');

/** Keeps a report of a shared image. The answer does not tell whether the image exists. */
export const report = endpoint({
  method: 'POST',
  access: 'anyone',
  input: reportRequestSchema,
  answer: reportAnswerSchema,
  async run({ input, address, log }, services) {
    services.rateLimiter.take(reportLimit, address);
    services.rateLimiter.take(imageReportLimit, input.token);
    const id = hashReportId(services.config.identityHashKey ?? processKey, address, input.token);
    log.add({ reportId: id, reason: input.reason });
    await addReport(await services.ledger(), id, input);
    return { body: { received: true as const } };
  },
});
