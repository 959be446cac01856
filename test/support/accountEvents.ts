/** Firestore's document-written events over HTTP, as production and the emulator send them. */
import protobuf from 'protobufjs';

// Google's schema: google/events/cloud/firestore/v1/data.proto in googleapis/google-cloudevents.
const { root } = protobuf.parse(`
  syntax = "proto3";
  package google.events.cloud.firestore.v1;
  message DocumentEventData {
    Document value = 1;
    Document old_value = 2;
    DocumentMask update_mask = 3;
  }
  message DocumentMask { repeated string field_paths = 1; }
  message Document {
    string name = 1;
    map<string, Value> fields = 2;
    Timestamp create_time = 3;
    Timestamp update_time = 4;
  }
  message Value {
    oneof value_type {
      NullValue null_value = 11;
      bool boolean_value = 1;
      int64 integer_value = 2;
      double double_value = 3;
      Timestamp timestamp_value = 10;
      string string_value = 17;
      ArrayValue array_value = 9;
      MapValue map_value = 6;
    }
  }
  message ArrayValue { repeated Value values = 1; }
  message MapValue { map<string, Value> fields = 1; }
  message Timestamp { int64 seconds = 1; int32 nanos = 2; }
  enum NullValue { NULL_VALUE = 0; }
`);
const eventData = root.lookupType('google.events.cloud.firestore.v1.DocumentEventData');

type Data = Record<string, unknown>;

/** The account before and after the write; undefined if it did not exist. */
export type AccountWrite = { before?: Data | undefined; after?: Data | undefined };

const toTimestamp = (date: Date) => ({
  seconds: Math.floor(date.getTime() / 1000),
  nanos: (date.getTime() % 1000) * 1_000_000,
});

function toEventValue(value: unknown): object {
  if (value === null) return { nullValue: 0 };
  if (typeof value === 'boolean') return { booleanValue: value };
  if (typeof value === 'string') return { stringValue: value };
  if (value instanceof Date) return { timestampValue: toTimestamp(value) };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(toEventValue) } };
  if (typeof value === 'object') return { mapValue: { fields: toEventFields(value as Data) } };
  return Number.isSafeInteger(value) ? { integerValue: value } : { doubleValue: value };
}

const toEventFields = (data: Data) =>
  Object.fromEntries(
    Object.entries(data)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, toEventValue(value)]),
  );

/** The body of an event: the protocol buffer that production sends. */
export function eventBody(projectId: string, document: string, { before, after }: AccountWrite): Buffer {
  const toDocument = (data: Data) => ({
    name: `projects/${projectId}/databases/(default)/documents/${document}`,
    fields: toEventFields(data),
    createTime: toTimestamp(new Date(0)),
    updateTime: toTimestamp(new Date()),
  });
  const message = {
    ...(after && { value: toDocument(after) }),
    ...(before && { oldValue: toDocument(before) }),
    ...(before && after && { updateMask: { fieldPaths: ['balance'] } }),
  };
  return Buffer.from(eventData.encode(eventData.fromObject(message)).finish());
}

let events = 0;

/** The headers of an event. With `authid` it is the event type "with auth context". */
export function eventHeaders(projectId: string, document: string, authid?: string): Record<string, string> {
  const type = 'google.cloud.firestore.document.v1.written';
  return {
    'ce-id': `event-${++events}`,
    'ce-source': `//firestore.googleapis.com/projects/${projectId}/databases/(default)`,
    'ce-specversion': '1.0',
    'ce-type': authid === undefined ? type : `${type}.withAuthContext`,
    'ce-subject': `documents/${document}`,
    'ce-document': document,
    'ce-project': projectId,
    'ce-database': '(default)',
    'ce-namespace': '(default)',
    'ce-time': new Date().toISOString(),
    'ce-dataschema':
      'https://github.com/googleapis/google-cloudevents/blob/main/proto/google/events/cloud/firestore/v1/data.proto',
    'content-type': 'application/protobuf',
    ...(authid !== undefined && { 'ce-authtype': 'app_user', 'ce-authid': authid }),
  };
}
