/** Firestore's document-written events as they come over HTTP, from the emulator and from production. */
import protobuf from 'protobufjs';

// As Google publishes it: google/events/cloud/firestore/v1/data.proto of googleapis/google-cloudevents.
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

/** The account before and after the write; undefined where there was none. */
export type AccountWrite = { before?: Data | undefined; after?: Data | undefined };

const timestamp = (date: Date) => ({
  seconds: Math.floor(date.getTime() / 1000),
  nanos: (date.getTime() % 1000) * 1_000_000,
});

function encoded(value: unknown): object {
  if (value === null) return { nullValue: 0 };
  if (typeof value === 'boolean') return { booleanValue: value };
  if (typeof value === 'string') return { stringValue: value };
  if (value instanceof Date) return { timestampValue: timestamp(value) };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(encoded) } };
  if (typeof value === 'object') return { mapValue: { fields: fieldsOf(value as Data) } };
  return Number.isSafeInteger(value) ? { integerValue: value } : { doubleValue: value };
}

const fieldsOf = (data: Data) =>
  Object.fromEntries(
    Object.entries(data)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, encoded(value)]),
  );

/** The body of an event, as the protocol buffer that production sends. */
export function eventBody(projectId: string, document: string, { before, after }: AccountWrite): Buffer {
  const state = (data: Data) => ({
    name: `projects/${projectId}/databases/(default)/documents/${document}`,
    fields: fieldsOf(data),
    createTime: timestamp(new Date(0)),
    updateTime: timestamp(new Date()),
  });
  const message = {
    ...(after && { value: state(after) }),
    ...(before && { oldValue: state(before) }),
    ...(before && after && { updateMask: { fieldPaths: ['balance'] } }),
  };
  return Buffer.from(eventData.encode(eventData.fromObject(message)).finish());
}

let events = 0;

/** The headers of an event: with `authid` as Eventarc sends it "with auth context". */
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
