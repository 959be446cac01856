import { reportAnswerSchema, reportRequestSchema } from '../shared/contract/reports.ts';
import { imageReportLimit, reportLimit } from '../shared/core/rateLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { addReport, hashReportId } from '../shared/sharing/reports.ts';

/** Keeps a report of a shared image. The answer does not tell whether the image exists. */
export const report = endpoint({
  method: 'POST',
  access: 'anyone',
  input: reportRequestSchema,
  answer: reportAnswerSchema,
  async run({ input, address, log }, services) {
    services.rateLimiter.take(reportLimit, address);
    services.rateLimiter.take(imageReportLimit, input.token);
    const [key = ''] = services.config.identityKeys;
    const id = hashReportId(key, address, input.token);
    log.add({ reportId: id, reason: input.reason });
    await addReport(await services.ledger(), id, input);
    return { body: { received: true as const } };
  },
});
