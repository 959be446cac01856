/** Requests, replies and events without a network, as functions-framework passes them to a function. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import protobuf from 'protobufjs/light.js';
import type { BinaryEvent } from '../../shared/database/accountEvent.ts';
import type { Data } from '../../shared/database/database.ts';
import type { Handler } from '../../shared/http/endpoint.ts';

export type WireRequest = {
  name: string;
  method: 'GET' | 'POST';
  as: string;
  query?: Record<string, string>;
  body?: unknown;
  key?: string;
};

export type WireAnswer = { status: number; headers: Record<string, string>; body: unknown };

/** Calls a handler. Resolves with its reply. */
export async function callHandler(handler: Handler, request: WireRequest): Promise<WireAnswer> {
  const { name, method, as, query = {}, body, key } = request;
  const incoming = {
    method,
    url: `/${name}?${new URLSearchParams(query)}`,
    headers: {
      authorization: `Bearer ${as}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key !== undefined && { 'idempotency-key': key }),
    },
    rawBody: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    socket: { remoteAddress: '127.0.0.1' },
  };
  const answer: WireAnswer = { status: 0, headers: {}, body: undefined };
  const put = (headers: Record<string, string | number>) => {
    for (const [header, value] of Object.entries(headers))
      answer.headers[header.toLowerCase()] = String(value);
  };
  let text = '';
  const response = {
    req: { method },
    headersSent: false,
    on() {},
    off() {},
    setHeader: (header: string, value: string) => put({ [header]: value }),
    hasHeader: (header: string) => header.toLowerCase() in answer.headers,
    writeHead(status: number, headers: Record<string, string | number>) {
      answer.status = status;
      response.headersSent = true;
      put(headers);
      return response;
    },
    write(chunk: string) {
      text += chunk;
      return true;
    },
    /** The connection broke off: what was sent is not an answer. */
    destroy: () => {
      text = '';
    },
    end: (bytes?: Buffer) => {
      text += bytes?.toString() ?? '';
      answer.body = text === '' ? undefined : JSON.parse(text);
    },
  };
  await handler(incoming as unknown as IncomingMessage, response as unknown as ServerResponse);
  return answer;
}

// google.events.cloud.firestore.v1.DocumentEventData, reduced to the types of the fields that an admin edits.
const { nested } = protobuf.Root.fromJSON({
  nested: {
    Value: {
      oneofs: {
        kind: {
          oneof: [
            'booleanValue',
            'integerValue',
            'doubleValue',
            'timestampValue',
            'nullValue',
            'stringValue',
          ],
        },
      },
      fields: {
        booleanValue: { type: 'bool', id: 1 },
        integerValue: { type: 'int64', id: 2 },
        doubleValue: { type: 'double', id: 3 },
        timestampValue: { type: 'Timestamp', id: 10 },
        nullValue: { type: 'int32', id: 11 },
        stringValue: { type: 'string', id: 17 },
      },
    },
    Timestamp: { fields: { seconds: { type: 'int64', id: 1 } } },
    Document: {
      fields: {
        name: { type: 'string', id: 1 },
        fields: { keyType: 'string', type: 'Value', id: 2 } as never,
      },
    },
    DocumentEventData: {
      fields: { value: { type: 'Document', id: 1 }, oldValue: { type: 'Document', id: 2 } },
    },
  },
});
const eventData = nested?.DocumentEventData as protobuf.Type;

/** The event of a write to an account, as Eventarc delivers it. Without `after` the account was deleted. */
export function accountEvent(
  uid: string,
  { before, after }: { before: Data | undefined; after: Data | undefined },
  actor: string | undefined,
): BinaryEvent {
  const value = after && { name: `accounts/${uid}`, fields: toEventFields(after) };
  const oldValue = before && { name: `accounts/${uid}`, fields: toEventFields(before) };
  const event = eventData.create({ ...(value && { value }), ...(oldValue && { oldValue }) });
  return {
    document: `accounts/${uid}`,
    ...(actor && { authid: actor }),
    data: Buffer.from(eventData.encode(event).finish()),
  };
}

function toEventFields(data: Data): Record<string, object> {
  const fields = Object.entries(data).flatMap(([name, value]): [string, object][] => {
    if (typeof value === 'string') return [[name, { stringValue: value }]];
    if (typeof value === 'boolean') return [[name, { booleanValue: value }]];
    if (value === null) return [[name, { nullValue: 0 }]];
    if (value instanceof Date)
      return [[name, { timestampValue: { seconds: Math.floor(Number(value) / 1000) } }]];
    if (typeof value !== 'number') return [];
    return [[name, Number.isInteger(value) ? { integerValue: value } : { doubleValue: value }]];
  });
  return Object.fromEntries(fields);
}
