/**
 * The connection to Firestore: the only place that imports its SDK, and of that the client which Google generates
 * from the API.
 */
import google from '@google-cloud/firestore';
import type { CallOptions, CancellableStream } from 'google-gax';
import type { Config } from '../config/config.ts';
import { DeadlinePassed, withDeadline } from '../core/deadline.ts';

type Client = InstanceType<typeof google.v1.FirestoreClient>;

/**
 * Where nobody answers, the library looks again after this long, milliseconds; by itself after up to two minutes.
 * Each client has a connection of its own, so that a new client is a new connection.
 */
const connecting = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.use_local_subchannel_pool': 1,
};

/** The client library's own repetitions, off. A stream's would be of any error, a second apart. */
const onceOnly = { retry: { retryCodes: [] }, retryRequestOptions: { retries: 0, noResponseRetries: 0 } };

/** google.rpc's DEADLINE_EXCEEDED. */
const deadlineExceeded = 4;

/**
 * Calls of the API for a database, each within `callMsMax`, milliseconds.
 * They reject with gRPC's `code`, or with `DeadlinePassed`.
 */
export function createCaller(config: Config, database: string, callMsMax: number) {
  const { firestoreEmulatorHost } = config;
  let connection: Promise<Client> | undefined;

  /** The client, once it has its credentials. Where it could not have them, the next call tries anew. */
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

  /** The next call makes a connection of its own; those under way on this one end as they may. */
  function forget(given: Promise<Client>): void {
    if (connection !== given) return;
    connection = undefined;
    given.then((client) => client.close()).catch(() => {});
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

  /** One call within its time, of which connecting is a part: nothing is sent that nobody waits for any more. */
  async function timed<Answer>(
    start: (client: Client, options: CallOptions) => Promise<Answer>,
  ): Promise<Answer> {
    const until = performance.now() + callMsMax;
    const given = connected();
    const call = async () => {
      const client = await given;
      const left = until - performance.now();
      if (left <= 0) throw new DeadlinePassed('Firestore could not be reached in time');
      return start(client, options(left));
    };
    try {
      return await withDeadline(call(), callMsMax, 'Firestore');
    } catch (error) {
      // The other end may be gone without a word, or the credentials never come: only a new connection tells.
      if (error instanceof DeadlinePassed || getErrorCode(error) === deadlineExceeded) forget(given);
      throw error;
    }
  }

  return {
    unary: <Answer>(start: (client: Client, options: CallOptions) => Promise<unknown[]>) =>
      timed<Answer>(async (client, given) => (await start(client, given))[0] as Answer),

    /** All answers of a call that streams them. */
    streamed: <Answer>(start: (client: Client, options: CallOptions) => CancellableStream) =>
      timed<Answer[]>(
        (client, given) =>
          new Promise((resolve, reject) => {
            const answers: Answer[] = [];
            const stream = start(client, given);
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

/** The code of what a call rejected with, -1 where it has none. */
export const getErrorCode = (error: unknown) => (error as { code?: number } | undefined)?.code ?? -1;

/** Where the emulator is, and that it speaks no TLS. */
async function emulator(host: string) {
  const { grpc } = (await import('google-gax')).default;
  const { hostname, port } = new URL(`http://${host}`);
  return { servicePath: hostname, port: Number(port), sslCreds: grpc.credentials.createInsecure() };
}
