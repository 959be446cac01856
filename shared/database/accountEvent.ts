/**
 * Firestore's document-written events, as Eventarc delivers them. The attributes name the document and, in events
 * "with auth context", who wrote it. The body is a protocol buffer.
 */
import protobuf from 'protobufjs/light.js';

/** A CloudEvent in binary mode: its attributes, and its raw body. */
export type BinaryEvent = Record<string, unknown> & { data?: unknown };

export type AccountEvent = {
  uid: string;
  /** Who wrote the document, if the event says so. */
  actor: string | undefined;
  /** True if the document holds no edit: the ledger itself may have written it. */
  hasNoEdit: boolean;
};

// The parts of google.events.cloud.firestore.v1.DocumentEventData that are read here.
const { nested } = protobuf.Root.fromJSON({
  nested: {
    Value: {
      oneofs: { kind: { oneof: ['boolean', 'integer', 'double', 'time', 'none'] } },
      fields: {
        boolean: { type: 'bool', id: 1 },
        integer: { type: 'int64', id: 2 },
        double: { type: 'double', id: 3 },
        time: { type: 'bytes', id: 10 },
        none: { type: 'int32', id: 11 },
      },
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

type Value = {
  boolean?: boolean;
  integer?: { toString(): string } | number;
  double?: number;
  /** A timestamp, not decoded. */
  time?: Uint8Array;
  /** Set if the value is null. */
  none?: number;
};

type EventDocument = { name?: string; fields?: Record<string, Value> };

/**
 * Parses an event on `accounts/{uid}`. The uid comes from the body; the attributes may escape it.
 * @throws {Error} for an event on another document, or with a body that is not a document event.
 */
export function parseAccountEvent(event: BinaryEvent): AccountEvent {
  const bytes = toBytes(event.data);
  if (bytes.length === 0) throw new Error('The event has no body');
  const { value, oldValue } = eventData.decode(bytes) as unknown as {
    value?: EventDocument;
    oldValue?: EventDocument;
  };
  const attribute = parseUid(String(event.document ?? event.subject ?? '').replace(/^documents\//, ''));
  const name = (value ?? oldValue)?.name?.replace(/^projects\/[^/]+\/databases\/[^/]+\/documents\//, '');
  const uid = name ? parseUid(name) : attribute;
  if (attribute === undefined || uid === undefined) throw new Error('The event is not about an account');
  const actor = typeof event.authid === 'string' && event.authid !== '' ? event.authid : undefined;
  // A deleted account has nothing to record until its next use.
  return { uid, actor, hasNoEdit: value ? hasNoEdit(value) : true };
}

const parseUid = (document: string) => /^accounts\/([^/]+)$/.exec(document)?.[1];

/** Production sends the bytes, the emulator their base64 text. Neither can be mistaken for the other. */
function toBytes(data: unknown): Buffer {
  if (!Buffer.isBuffer(data)) throw new Error('The event has no body');
  const text = data.toString('latin1');
  return /^[A-Za-z0-9+/\s]+=*\s*$/.test(text) ? Buffer.from(text, 'base64') : data;
}

function hasNoEdit({ fields = {} }: EventDocument): boolean {
  const { balance, settled, adjust, createdAt, suspended, suspendedAt } = fields;
  const number = (field: Value | undefined) => Number(field?.integer ?? field?.double ?? Number.NaN);
  // The ledger has just created it, and has not written `settled` yet.
  const isNew = settled === undefined && createdAt !== undefined && number(balance) === 0;
  // As the ledger reads it: any other value, such as text, suspends.
  const isSuspended = suspended !== undefined && !isSet(suspended, 'none') && suspended.boolean !== false;
  const isSuspensionKnown = isSuspended === (suspendedAt !== undefined && isSet(suspendedAt, 'time'));
  return adjust === undefined && isSuspensionKnown && (isNew || number(balance) === number(settled));
}

const isSet = (value: Value, kind: keyof Value) => Object.hasOwn(value, kind);
