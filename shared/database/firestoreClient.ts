/** The connection to Firestore, through the client that Google generates from the API. Only this file imports the SDK. */
import google from '@google-cloud/firestore';
import type { CallOptions, CancellableStream } from 'google-gax';
import { DeadlinePassed, withDeadline } from '../core/deadline.ts';

type Client = InstanceType<typeof google.v1.FirestoreClient>;

/**
 * gRPC's pauses between attempts to reconnect, milliseconds; its default goes up to two minutes. Clients share no
 * connection, so a new client is a new connection.
 */
const connecting = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.use_local_subchannel_pool': 1,
};

/** Turns the client library's own retries off. For a stream it would retry any error, a second apart. */
const onceOnly = { retry: { retryCodes: [] }, retryRequestOptions: { retries: 0, noResponseRetries: 0 } };

/** google.rpc's DEADLINE_EXCEEDED. */
const deadlineExceeded = 4;

/** Which database, and the emulator's `host:port` in a local run. */
export type FirestoreOptions = {
  projectId: string;
  databaseId: string;
  firestoreEmulatorHost: string | undefined;
};

/**
 * Makes API calls to one database. Each call takes at most `callMsMax` milliseconds, and rejects with gRPC's `code` or
 * with `DeadlinePassed`.
 */
export function createCaller(config: FirestoreOptions, database: string, callMsMax: number) {
  const { firestoreEmulatorHost } = config;
  let connection: Promise<Client> | undefined;

  /** The client with its credentials. If it cannot get them, the next call tries again. */
  function connected(): Promise<Client> {
    if (connection) return connection;
    const attempt = connect();
    attempt.catch(() => forget(attempt));
    connection = attempt;
    return attempt;
  }

  async function connect(): Promise<Client> {
    const client = new google.v1.FirestoreClient({
      projectId: config.projectId,
      ...connecting,
      ...(firestoreEmulatorHost && (await emulator(firestoreEmulatorHost))),
    });
    await client.initialize();
    return client;
  }

  /** Drops a connection: the next call makes a new one. Calls in progress on the old one still end. */
  function forget(attempt: Promise<Client>): void {
    if (connection !== attempt) return;
    connection = undefined;
    attempt.then((client) => client.close()).catch(() => {});
  }

  const options = (timeout: number): CallOptions => ({
    ...onceOnly,
    timeout,
    otherArgs: {
      headers: {
        'google-cloud-resource-prefix': database,
        ...(firestoreEmulatorHost && { authorization: 'Bearer owner' }),
      },
    },
  });

  /** One call, with the time to connect included in its limit. After the limit nothing is sent any more. */
  async function timed<Answer>(
    start: (client: Client, options: CallOptions) => Promise<Answer>,
  ): Promise<Answer> {
    const until = performance.now() + callMsMax;
    const client = connected();
    const call = async () => {
      const ready = await client;
      const left = until - performance.now();
      if (left <= 0) throw new DeadlinePassed('Firestore could not be reached in time');
      return start(ready, options(left));
    };
    try {
      return await withDeadline(call(), callMsMax, 'Firestore');
    } catch (error) {
      // The server may be gone without closing the connection, or the credentials may never arrive.
      if (error instanceof DeadlinePassed || getErrorCode(error) === deadlineExceeded) forget(client);
      throw error;
    }
  }

  return {
    unary: <Answer>(start: (client: Client, options: CallOptions) => Promise<unknown[]>) =>
      timed<Answer>(async (client, options) => (await start(client, options))[0] as Answer),

    /** All answers of a streaming call. */
    streamed: <Answer>(start: (client: Client, options: CallOptions) => CancellableStream) =>
      timed<Answer[]>(
        (client, options) =>
          new Promise((resolve, reject) => {
            const answers: Answer[] = [];
            const stream = start(client, options);
            stream.on('data', (answer: Answer) => answers.push(answer));
            stream.on('error', reject);
            stream.on('end', () => resolve(answers));
          }),
      ),

    async close() {
      await (await connection)?.close();
    },
  };
}

/** The gRPC code of a rejection, or -1. */
export const getErrorCode = (error: unknown) => (error as { code?: number } | undefined)?.code ?? -1;

/** Options for the emulator: its address, without TLS. */
async function emulator(host: string) {
  const { grpc } = (await import('google-gax')).default;
  const { hostname, port } = new URL(`http://${host}`);
  return { servicePath: hostname, port: Number(port), sslCreds: grpc.credentials.createInsecure() };
}
