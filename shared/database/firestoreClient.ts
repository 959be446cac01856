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

/**
 * HTTP/2 pings, milliseconds: the pause between two of them, and how long to wait for the reply before the connection
 * counts as dead. Google's own clients send one every 30 s (Bigtable, Firestore for Android) or 60 s (.NET). The emulator,
 * a Java server with gRPC's defaults, closes a connection after three pings without a call.
 */
export type KeepAlive = { everyMs: number; timeoutMs: number };
const keepAliveDefault: KeepAlive = { everyMs: 30_000, timeoutMs: 5_000 };

/** How long to wait for the database. */
export type CallLimits = {
  /** For one call, milliseconds. Two of them fit easily into the time of `retryCommit`. */
  callMs: number;
  /** For a call on a connection that has not answered yet: credentials, DNS and TLS are included. Milliseconds. */
  connectMs: number;
  /** Undefined: the default, and none to the emulator. */
  keepAlive?: KeepAlive;
};
export const callLimitsDefault: CallLimits = { callMs: 2_500, connectMs: 5_000 };

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

type Connection = {
  /** The client with its credentials. */
  client: Promise<Client>;
  hasAnswered: boolean;
};

/**
 * Makes API calls to one database. Each call ends within its limit, and rejects with gRPC's `code` or with
 * `DeadlinePassed`. After a call that took too long, the next one uses a new connection.
 */
export function createCaller(config: FirestoreOptions, database: string, limits: CallLimits) {
  const { firestoreEmulatorHost } = config;
  const keepAlive = limits.keepAlive ?? (firestoreEmulatorHost ? undefined : keepAliveDefault);
  let current: Connection | undefined;

  /** The current connection. If it cannot get credentials, the next call makes another. */
  function getConnection(): Connection {
    if (current) return current;
    const made: Connection = { client: connect(), hasAnswered: false };
    made.client.catch(() => forget(made));
    current = made;
    return made;
  }

  async function connect(): Promise<Client> {
    const client = new google.v1.FirestoreClient({
      projectId: config.projectId,
      ...connecting,
      ...(keepAlive && toChannelOptions(keepAlive)),
      ...(firestoreEmulatorHost && (await emulator(firestoreEmulatorHost))),
    });
    await client.initialize();
    return client;
  }

  /** Drops a connection: the next call makes a new one. Calls in progress on the old one still end. */
  function forget(connection: Connection): void {
    if (current !== connection) return;
    current = undefined;
    connection.client.then((client) => client.close()).catch(() => {});
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
    timeoutMs: number,
  ): Promise<Answer> {
    const connection = getConnection();
    const callMsMax = connection.hasAnswered ? timeoutMs : Math.max(timeoutMs, limits.connectMs);
    const until = performance.now() + callMsMax;
    const call = async () => {
      const ready = await connection.client;
      const left = until - performance.now();
      if (left <= 0) throw new DeadlinePassed('Firestore could not be reached in time');
      return start(ready, options(left));
    };
    try {
      const answer = await withDeadline(call(), callMsMax, 'Firestore');
      connection.hasAnswered = true;
      return answer;
    } catch (error) {
      // The server may be gone without closing the connection, or the credentials may never arrive.
      if (error instanceof DeadlinePassed || getErrorCode(error) === deadlineExceeded) forget(connection);
      throw error;
    }
  }

  return {
    unary: <Answer>(start: (client: Client, options: CallOptions) => Promise<unknown[]>) =>
      timed<Answer>(async (client, options) => (await start(client, options))[0] as Answer, limits.callMs),

    /** All answers of a streaming call. @param timeoutMs the limit of this call, milliseconds. */
    streamed: <Answer>(
      start: (client: Client, options: CallOptions) => CancellableStream,
      timeoutMs = limits.callMs,
    ) =>
      timed<Answer[]>(
        (client, options) =>
          new Promise((resolve, reject) => {
            const answers: Answer[] = [];
            const stream = start(client, options);
            stream.on('data', (answer: Answer) => answers.push(answer));
            stream.on('error', reject);
            stream.on('end', () => resolve(answers));
          }),
        timeoutMs,
      ),

    async close() {
      await (await current?.client)?.close();
    },
  };
}

const toChannelOptions = ({ everyMs, timeoutMs }: KeepAlive) => ({
  'grpc.keepalive_time_ms': everyMs,
  'grpc.keepalive_timeout_ms': timeoutMs,
  // No call may be waiting while an image is generated, and the next one settles it.
  'grpc.keepalive_permit_without_calls': 1,
});

/** The gRPC code of a rejection, or -1. */
export const getErrorCode = (error: unknown) => (error as { code?: number } | undefined)?.code ?? -1;

/** Options for the emulator: its address, without TLS, and without the proxy that the environment may name. */
async function emulator(host: string) {
  const { grpc } = (await import('google-gax')).default;
  const { hostname, port } = new URL(`http://${host}`);
  return {
    servicePath: hostname,
    port: Number(port),
    sslCreds: grpc.credentials.createInsecure(),
    'grpc.enable_http_proxy': 0,
  };
}
