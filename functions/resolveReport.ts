import { resolveReportAnswerSchema, resolveReportRequestSchema } from '../shared/contract/reports.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { closeReport } from '../shared/sharing/reports.ts';

/** Closes a report, and removes its image if that is the resolution. */
export const resolveReport = endpoint({
  method: 'POST',
  access: 'admin',
  input: resolveReportRequestSchema,
  answer: resolveReportAnswerSchema,
  async run({ caller: { actor }, input, log }, services) {
    const report = await closeReport(services, input, actor);
    log.add({ uid: report.uid, generationId: report.generationId, resolution: report.status });
    return { body: { report } };
  },
});
