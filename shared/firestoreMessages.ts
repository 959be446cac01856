/**
 * The messages of Firestore's API, google.firestore.v1, as far as they are used here, and values in and out of
 * them. Names and numbers are those of Google's firestore.proto, document.proto, query.proto and write.proto.
 */
import protobuf from 'protobufjs/light.js';

export type Timestamp = { seconds: number | { toString(): string }; nanos?: number };
/** One of its fields is set; `kind` names which. */
export type Value = Record<string, unknown> & { kind?: string };
export type Fields = Record<string, Value>;
export type Document = { name: string; fields: Fields; updateTime: Timestamp };

// Number, type, and `repeated`, `map` (by text) or `oneof` (one of all so marked). Enumerations are numbers on the wire.
const messages = {
  Timestamp: { seconds: '1 int64', nanos: '2 int32' },
  LatLng: { latitude: '1 double', longitude: '2 double' },
  Int32Value: { value: '1 int32' },
  Value: {
    booleanValue: '1 bool oneof',
    integerValue: '2 int64 oneof',
    doubleValue: '3 double oneof',
    referenceValue: '5 string oneof',
    mapValue: '6 MapValue oneof',
    geoPointValue: '8 LatLng oneof',
    arrayValue: '9 ArrayValue oneof',
    timestampValue: '10 Timestamp oneof',
    nullValue: '11 int32 oneof',
    stringValue: '17 string oneof',
    bytesValue: '18 bytes oneof',
  },
  ArrayValue: { values: '1 Value repeated' },
  MapValue: { fields: '1 Value map' },
  Document: { name: '1 string', fields: '2 Value map', updateTime: '4 Timestamp' },

  ReadOnly: {},
  TransactionOptions: { readOnly: '2 ReadOnly' },
  BatchGetDocumentsRequest: {
    database: '1 string',
    documents: '2 string repeated',
    newTransaction: '5 TransactionOptions',
  },
  BatchGetDocumentsResponse: {
    found: '1 Document oneof',
    missing: '2 string oneof',
    transaction: '3 bytes',
    readTime: '4 Timestamp',
  },
  RollbackRequest: { database: '1 string', transaction: '2 bytes' },
  Empty: {},

  DocumentMask: { fieldPaths: '1 string repeated' },
  Precondition: { exists: '1 bool oneof', updateTime: '2 Timestamp oneof' },
  Write: {
    update: '1 Document oneof',
    delete: '2 string oneof',
    updateMask: '3 DocumentMask',
    currentDocument: '4 Precondition',
  },
  WriteResult: { updateTime: '1 Timestamp' },
  CommitRequest: { database: '1 string', writes: '2 Write repeated' },
  CommitResponse: { writeResults: '1 WriteResult repeated', commitTime: '2 Timestamp' },

  CollectionSelector: { collectionId: '2 string', allDescendants: '3 bool' },
  FieldReference: { fieldPath: '2 string' },
  FieldFilter: { field: '1 FieldReference', op: '2 int32', value: '3 Value' },
  UnaryFilter: { op: '1 int32', field: '2 FieldReference' },
  CompositeFilter: { op: '1 int32', filters: '2 Filter repeated' },
  Filter: {
    compositeFilter: '1 CompositeFilter oneof',
    fieldFilter: '2 FieldFilter oneof',
    unaryFilter: '3 UnaryFilter oneof',
  },
  Order: { field: '1 FieldReference', direction: '2 int32' },
  Cursor: { values: '1 Value repeated', before: '2 bool' },
  StructuredQuery: {
    from: '2 CollectionSelector repeated',
    where: '3 Filter',
    orderBy: '4 Order repeated',
    limit: '5 Int32Value',
    startAt: '7 Cursor',
  },
  RunQueryRequest: { parent: '1 string', structuredQuery: '2 StructuredQuery' },
  RunQueryResponse: { document: '1 Document', readTime: '3 Timestamp' },
  Count: {},
  Sum: { field: '1 FieldReference' },
  Aggregation: { count: '1 Count oneof', sum: '2 Sum oneof', alias: '7 string' },
  StructuredAggregationQuery: {
    structuredQuery: '1 StructuredQuery',
    aggregations: '3 Aggregation repeated',
  },
  RunAggregationQueryRequest: {
    parent: '1 string',
    structuredAggregationQuery: '2 StructuredAggregationQuery',
    transaction: '4 bytes',
  },
  AggregationResult: { aggregateFields: '2 Value map' },
  RunAggregationQueryResponse: { result: '1 AggregationResult' },
} as const;

const root = protobuf.Root.fromJSON({
  nested: Object.fromEntries(Object.entries(messages).map(([name, fields]) => [name, described(fields)])),
});

function described(fields: Record<string, string>): protobuf.IType {
  const all = Object.entries(fields).map(([name, text]) => {
    const [id, type, how] = text.split(' ');
    return { name, how, field: { id: Number(id), type: type as string } };
  });
  const kinds = all.filter(({ how }) => how === 'oneof').map(({ name }) => name);
  return {
    fields: Object.fromEntries(
      all.map(({ name, how, field }) => {
        if (how === 'repeated') return [name, { ...field, rule: 'repeated' }];
        return [name, how === 'map' ? { ...field, keyType: 'string' } : field];
      }),
    ),
    ...(kinds.length > 0 && { oneofs: { kind: { oneof: kinds } } }),
  };
}

export type MessageName = keyof typeof messages;

/** What writes a message of this name, and what reads one. */
export function codec<Message>(name: MessageName) {
  const type = root.lookupType(name);
  return {
    encode: (message: object) => Buffer.from(type.encode(message).finish()),
    decode: (bytes: Buffer) => type.decode(bytes) as unknown as Message,
  };
}

/** Plain data as fields; what is undefined is left out. */
export function encodeFields(data: Record<string, unknown>): Fields {
  const fields: Fields = {};
  for (const [name, value] of Object.entries(data)) {
    if (value !== undefined) fields[name] = encodeValue(value);
  }
  return fields;
}

/**
 * @throws {TypeError} for what Firestore has no value for.
 */
export function encodeValue(value: unknown): Value {
  if (value === null) return { nullValue: 0 };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { booleanValue: value };
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && !Object.is(value, -0)
      ? { integerValue: value }
      : { doubleValue: value };
  }
  if (value instanceof Date) return { timestampValue: encodeTime(value) };
  if (value instanceof Uint8Array) return { bytesValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(encodeValue) } };
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    return { mapValue: { fields: encodeFields(value as Record<string, unknown>) } };
  throw new TypeError('Not a value of Firestore');
}

/** Fields as plain data: times are Dates; places and references, which only an admin can write, are objects. */
export function decodeFields(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, decodeValue(value)]));
}

export function decodeValue(value: Value): unknown {
  const { kind = 'nullValue' } = value;
  const given = value[kind];
  switch (kind) {
    case 'nullValue':
      return null;
    case 'integerValue':
      return Number(given);
    case 'timestampValue':
      return decodeTime(given as Timestamp);
    case 'arrayValue':
      return (given as { values: Value[] }).values.map(decodeValue);
    case 'mapValue':
      return decodeFields((given as { fields: Fields }).fields);
    case 'referenceValue':
      return { reference: given };
    default:
      return given;
  }
}

function encodeTime(time: Date): Timestamp {
  const seconds = Math.floor(time.getTime() / 1000);
  return { seconds, nanos: (time.getTime() - seconds * 1000) * 1_000_000 };
}

/** To the millisecond, as a Date has it. */
export function decodeTime({ seconds, nanos = 0 }: Timestamp): Date {
  return new Date(Number(seconds) * 1000 + Math.round(nanos / 1_000_000));
}
