/** Calls of Firestore's gRPC API: the connection, who calls, deadlines and what is tried again. */
import { type CallCredentials, Client, credentials, Metadata } from '@grpc/grpc-js';
import type { Config } from './config.ts';
import { codec, type Document, type Fields, type Timestamp } from './firestoreMessages.ts';
import { once } from './once.ts';

/** Longest wait for one call, its repetitions included, milliseconds. */
const callMsMax = 10_000;

const service = 'google.firestore.v1.Firestore';
const host = 'firestore.googleapis.com';
const scopes = ['https://www.googleapis.com/auth/datastore'];

// Reads may be repeated. A commit never is: where its outcome is not known, only who made it can tell from a read.
const reads = ['BatchGetDocuments', 'RunQuery', 'RunAggregationQuery'];
const serviceConfig = {
  loadBalancingConfig: [],
  methodConfig: [
    {
      name: reads.map((method) => ({ service, method })),
      retryPolicy: {
        maxAttempts: 5,
        initialBackoff: '0.1s',
        maxBackoff: '1s',
        backoffMultiplier: 2,
        retryableStatusCodes: ['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'INTERNAL'],
      },
    },
  ],
};

type Method<Answer> = {
  path: string;
  encode: (message: object) => Buffer;
  decode: (bytes: Buffer) => Answer;
};

export const batchGet = method<{ found?: Document; transaction: Buffer; readTime?: Timestamp }>(
  'BatchGetDocuments',
  'BatchGetDocumentsRequest',
  'BatchGetDocumentsResponse',
);
export const runQuery = method<{ document?: Document; readTime?: Timestamp }>(
  'RunQuery',
  'RunQueryRequest',
  'RunQueryResponse',
);
export const runAggregation = method<{ result?: { aggregateFields: Fields } }>(
  'RunAggregationQuery',
  'RunAggregationQueryRequest',
  'RunAggregationQueryResponse',
);
export const commit = method<{ writeResults: { updateTime?: Timestamp | null }[]; commitTime?: Timestamp }>(
  'Commit',
  'CommitRequest',
  'CommitResponse',
);
export const rollback = method<object>('Rollback', 'RollbackRequest', 'Empty');

function method<Answer>(
  name: string,
  request: Parameters<typeof codec>[0],
  answer: Parameters<typeof codec>[0],
): Method<Answer> {
  const { encode } = codec(request);
  const { decode } = codec<Answer>(answer);
  return { path: `/${service}/${name}`, encode, decode };
}

/** Makes a call and gives all its answers, of which a call that is no stream has one. Rejects with gRPC's `code`. */
export type Call = <Answer>(method: Method<Answer>, message: object) => Promise<Answer[]>;

/** The caller of a configuration's database. Connects at its first call. */
export function createCaller(config: Config): { call: Call; close: () => Promise<void> } {
  const { projectId, databaseId, firestoreEmulatorHost } = config;
  const metadata = new Metadata();
  metadata.set('google-cloud-resource-prefix', `projects/${projectId}/databases/${databaseId}`);
  metadata.set(
    'x-goog-request-params',
    `project_id=${projectId}&database_id=${encodeURIComponent(databaseId)}`,
  );
  if (firestoreEmulatorHost) metadata.set('authorization', 'Bearer owner');

  const options = {
    'grpc.service_config': JSON.stringify(serviceConfig),
    'grpc.service_config_disable_resolution': 1,
    // Documents may have a megabyte each, and a page has a hundred of them.
    'grpc.max_receive_message_length': -1,
  };
  let client: Client | undefined;
  const connect = once(async () => {
    const channel = firestoreEmulatorHost
      ? credentials.createInsecure()
      : credentials.combineChannelCredentials(credentials.createSsl(), await serviceAccount());
    client = new Client(firestoreEmulatorHost ?? host, channel, options);
    return client;
  });

  async function call<Answer>({ path, encode, decode }: Method<Answer>, message: object): Promise<Answer[]> {
    const connected = await connect();
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + callMsMax;
      const stream = connected.makeServerStreamRequest(path, encode, decode, message, metadata, { deadline });
      const answers: Answer[] = [];
      stream.on('data', (answer: Answer) => answers.push(answer));
      stream.on('error', reject);
      stream.on('end', () => resolve(answers));
    });
  }

  return { call, close: async () => client?.close() };
}

/** Google's own library finds the service account, Cloud Run's or a developer's, and renews its tokens. */
async function serviceAccount(): Promise<CallCredentials> {
  const { GoogleAuth } = await import('./googleAuth.ts');
  const auth = new GoogleAuth({ scopes });
  // Not gRPC's createFromGoogleCredential: that finds no header in what this version of the library gives.
  return credentials.createFromMetadataGenerator((_options, callback) => {
    const given = auth.getRequestHeaders().then((headers) => {
      const metadata = new Metadata();
      headers.forEach((value, name) => {
        metadata.set(name, value);
      });
      return metadata;
    });
    given.then((metadata) => callback(null, metadata), callback);
  });
}
