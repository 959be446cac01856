/**
 * The two Firestore calls that a `generate` needs, directly on node:http2, for floor.ts. No retries, no deadlines,
 * no credentials, one connection.
 */
import http2 from 'node:http2';
import protobuf from 'protobufjs/light.js';

export type Stamp = { seconds: unknown; nanos?: number };
type Value = Record<string, unknown> & { kind?: string };
type Fields = Record<string, Value>;
type Found = { fields: Fields; updateTime: Stamp };

const string = (id: number) => ({ type: 'string', id });
const strings = (id: number) => ({ rule: 'repeated', type: 'string', id });
const many = (type: string, id: number) => ({ rule: 'repeated', type, id });
const values = (id: number) => ({ keyType: 'string', type: 'Value', id }) as never;
const kinds = {
  booleanValue: { type: 'bool', id: 1 },
  integerValue: { type: 'int64', id: 2 },
  mapValue: { type: 'MapValue', id: 6 },
  arrayValue: { type: 'ArrayValue', id: 9 },
  timestampValue: { type: 'Timestamp', id: 10 },
  nullValue: { type: 'int32', id: 11 },
  stringValue: string(17),
};
// The used part of google.firestore.v1, with the numbers of Google's proto files.
const root = protobuf.Root.fromJSON({
  nested: {
    Timestamp: { fields: { seconds: { type: 'int64', id: 1 }, nanos: { type: 'int32', id: 2 } } },
    MapValue: { fields: { fields: values(1) } },
    ArrayValue: { fields: { values: many('Value', 1) } },
    Value: {
      oneofs: { kind: { oneof: Object.keys(kinds) } },
      fields: kinds,
    },
    Document: { fields: { name: string(1), fields: values(2), updateTime: { type: 'Timestamp', id: 4 } } },
    Mask: { fields: { fieldPaths: strings(1) } },
    Precondition: {
      oneofs: { kind: { oneof: ['exists', 'updateTime'] } },
      fields: { exists: { type: 'bool', id: 1 }, updateTime: { type: 'Timestamp', id: 2 } },
    },
    Write: {
      fields: {
        update: { type: 'Document', id: 1 },
        updateMask: { type: 'Mask', id: 3 },
        currentDocument: { type: 'Precondition', id: 4 },
      },
    },
    Result: { fields: { updateTime: { type: 'Timestamp', id: 1 } } },
    Get: { fields: { database: string(1), documents: strings(2) } },
    Got: { fields: { found: { type: 'Document', id: 1 } } },
    Commit: { fields: { database: string(1), writes: many('Write', 2) } },
    Committed: { fields: { writeResults: many('Result', 1) } },
  },
});

export type Data = Record<string, unknown>;
export type RawWrite = { path: string; data: Data; at?: Stamp };

/** The client of a project's database on an emulator. */
export function createRawFirestore(projectId: string, host: string) {
  const session = http2.connect(`http://${host}`);
  const database = `projects/${projectId}/databases/(default)`;
  const toName = (path: string) => `${database}/documents/${path}`;

  function call<Answer>(method: string, request: string, answer: string, message: object): Promise<Answer[]> {
    const body = root.lookupType(request).encode(message).finish();
    const frame = Buffer.alloc(5 + body.length);
    frame.writeUInt32BE(body.length, 1);
    frame.set(body, 5);
    return new Promise((resolve, reject) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': `/google.firestore.v1.Firestore/${method}`,
        'content-type': 'application/grpc',
        te: 'trailers',
        authorization: 'Bearer owner',
      });
      const chunks: Buffer[] = [];
      let status: unknown;
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('trailers', (trailers) => {
        status = trailers['grpc-status'];
      });
      stream.on('error', reject);
      stream.on('end', () => {
        if (status !== '0') return reject(new Error(`${method} answered ${status}`));
        const bytes = Buffer.concat(chunks);
        const answers: Answer[] = [];
        for (let at = 0; at < bytes.length; ) {
          const end = at + 5 + bytes.readUInt32BE(at + 1);
          answers.push(root.lookupType(answer).decode(bytes.subarray(at + 5, end)) as Answer);
          at = end;
        }
        resolve(answers);
      });
      stream.end(frame);
    });
  }

  return {
    /** Reads documents. Returns the first that exists. */
    async read(paths: string[]): Promise<{ data: Data; at: Stamp }> {
      const answers = await call<{ found?: Found }>('BatchGetDocuments', 'Get', 'Got', {
        database,
        documents: paths.map(toName),
      });
      const found = answers.find((each) => each.found)?.found;
      if (!found) throw new Error('No such account');
      return { data: decodeFields(found.fields), at: found.updateTime };
    },
    /** With `at` it updates these fields under that precondition, without it it creates the document. */
    async commit(writes: RawWrite[]): Promise<Stamp> {
      const [answer] = await call<{ writeResults: { updateTime: Stamp }[] }>(
        'Commit',
        'Commit',
        'Committed',
        {
          database,
          writes: writes.map(({ path, data, at }) => ({
            update: { name: toName(path), fields: encodeFields(data) },
            ...(at && { updateMask: { fieldPaths: Object.keys(data) } }),
            currentDocument: at ? { updateTime: at } : { exists: false },
          })),
        },
      );
      if (!answer?.writeResults[0]) throw new Error('Nothing was committed');
      return answer.writeResults[0].updateTime;
    },
  };
}

function encodeFields(data: Data): object {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, encodeValue(value)]));
}

function encodeValue(value: unknown): object {
  if (value === null) return { nullValue: 0 };
  if (typeof value === 'number') return { integerValue: value };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { booleanValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(encodeValue) } };
  if (value instanceof Date) {
    const ms = value.getTime();
    return { timestampValue: { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 } };
  }
  return { mapValue: { fields: encodeFields(value as Data) } };
}

function decodeFields(fields: Fields): Data {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, decodeValue(value)]));
}

function decodeValue(value: Value): unknown {
  const content = value[value.kind ?? ''];
  if (value.kind === 'integerValue') return Number(content);
  if (value.kind === 'mapValue') return decodeFields((content as { fields: Fields }).fields);
  if (value.kind === 'arrayValue') return (content as { values: Value[] }).values.map(decodeValue);
  if (value.kind === 'nullValue') return null;
  if (value.kind !== 'timestampValue') return content;
  const { seconds, nanos = 0 } = content as Stamp;
  return new Date(Number(seconds) * 1000 + nanos / 1_000_000);
}
