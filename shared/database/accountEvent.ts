/**
 * Firestore's document-written events, as Eventarc delivers them: the attributes say which document and,
 * where they are asked for "with auth context", who wrote it; the body is a protocol buffer.
 */
import protobuf from 'protobufjs/light.js';

/** A CloudEvent in binary mode: its attributes, and its body as it came. */
export type BinaryEvent = Record<string, unknown> & { data?: unknown };

export type AccountEvent = {
  uid: string;
  /** Who wrote, where the event says. */
  actor: string | undefined;
  /** Whether the ledger itself may have left the document so: nothing on it that an entry does not tell of. */
  settled: boolean;
};

// google.events.cloud.firestore.v1.DocumentEventData, as much of it as is needed here.
const { nested } = protobuf.Root.fromJSON({
  nested: {
    Value: {
      oneofs: { kind: { oneof: ['integer', 'double', 'other'] } },
      fields: { integer: { type: 'int64', id: 2 }, double: { type: 'double', id: 3 } },
    },
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

type Value = { integer?: { toString(): string } | number; double?: number };

type EventDocument = { name?: string; fields?: Record<string, Value> };

/**
 * What an event on `accounts/{uid}` tells. The uid is the body's: in the attributes it may be escaped or not.
 * @throws {Error} for an event on any other document, or with a body that is no document event.
 */
export function readAccountEvent(event: BinaryEvent): AccountEvent {
  const bytes = toBytes(event.data);
  if (bytes.length === 0) throw new Error('The event has no body');
  const { value, oldValue } = eventData.decode(bytes) as unknown as {
    value?: EventDocument;
    oldValue?: EventDocument;
  };
  const attribute = uidIn(String(event.document ?? event.subject ?? '').replace(/^documents\//, ''));
  const name = (value ?? oldValue)?.name?.replace(/^projects\/[^/]+\/databases\/[^/]+\/documents\//, '');
  const uid = name ? uidIn(name) : attribute;
  if (attribute === undefined || uid === undefined) throw new Error('The event is of no account');
  const actor = typeof event.authid === 'string' && event.authid !== '' ? event.authid : undefined;
  // Deleted: there is nothing to record until its next use.
  return { uid, actor, settled: value ? isSettled(value) : true };
}

const uidIn = (document: string) => /^accounts\/([^/]+)$/.exec(document)?.[1];

/** Production sends the bytes themselves, the emulator their base64 text; neither can be taken for the other. */
function toBytes(data: unknown): Buffer {
  if (!Buffer.isBuffer(data)) throw new Error('The event has no body');
  const text = data.toString('latin1');
  return /^[A-Za-z0-9+/\s]+=*\s*$/.test(text) ? Buffer.from(text, 'base64') : data;
}

function isSettled({ fields = {} }: EventDocument): boolean {
  const { balance, settled, adjust, createdAt } = fields;
  const number = (field: Value | undefined) => Number(field?.integer ?? field?.double ?? Number.NaN);
  // Just created by the ledger: nothing on it, and its books still to be taken up.
  const isNew = settled === undefined && createdAt !== undefined && number(balance) === 0;
  return adjust === undefined && (isNew || number(balance) === number(settled));
}
