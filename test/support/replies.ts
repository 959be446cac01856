/** Reads the functions' replies. The body of an error is a google.rpc.Status as JSON. */

export type Reply = {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read replies as a client without types does.
  body: any;
};

/** The google.rpc.ErrorInfo of an error, with its reason and metadata; undefined for a reply without an error. */
export const getErrorInfo = ({ body }: Reply) => body?.error?.details[0];

export const getReason = (reply: Reply): string | undefined => getErrorInfo(reply)?.reason;

/** The status of a reply, and the reason if it is an error. */
export const getRefusal = (reply: Reply): [status: number, reason: string | undefined] => [
  reply.status,
  getReason(reply),
];

/** A detail of an error by its google.rpc type, for example `RetryInfo`. */
export const getDetail = ({ body }: Reply, type: string) =>
  body.error.details.find(
    (detail: { '@type': string }) => detail['@type'] === `type.googleapis.com/google.rpc.${type}`,
  );

/** The fields that a 400 names, each once. */
export const getViolatedFields = (reply: Reply): string[] => [
  ...new Set<string>(
    getDetail(reply, 'BadRequest').fieldViolations.map(({ field }: { field: string }) => field),
  ),
];

export const isReplayed = ({ headers }: Reply): boolean => headers.get('idempotent-replayed') === 'true';
