/**
 * Converts plain data to Firestore's API values and back: times are Dates, integers and doubles are numbers.
 * Shapes and names follow google.firestore.v1.Value and Document. Google's client returns 64-bit numbers as text,
 * and names the one field of a value that is set in `valueType`.
 */
import type { Data } from './database.ts';

export type Timestamp = { seconds: string | number; nanos: number };
export type Value = { valueType?: string } & Record<string, unknown>;
export type Fields = Record<string, Value>;
export type ApiDocument = { name: string; fields: Fields; updateTime: Timestamp };

/** Holds an API value that the functions never write (a geo point, a reference, a future type), so that it survives a rewrite. */
const apiValue = Symbol('API value');

/** Encodes a document's fields; undefined ones are left out. @throws {TypeError} for a value that Firestore cannot store. */
export function encodeFields(data: Data): Fields {
  const given = Object.entries(data).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, encodeValue(value)]));
}

/** @throws {TypeError} for a value that Firestore cannot store. */
export function encodeValue(value: unknown): Value {
  if (value === null) return { nullValue: 'NULL_VALUE' };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { booleanValue: value };
  if (typeof value === 'number') {
    const isWhole = Number.isSafeInteger(value) && !Object.is(value, -0);
    return isWhole ? { integerValue: value } : { doubleValue: value };
  }
  if (value instanceof Date) return { timestampValue: encodeTime(value) };
  if (value instanceof Uint8Array) return { bytesValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(encodeValue) } };
  if (typeof value === 'object') {
    if (apiValue in value) return value[apiValue] as Value;
    if (Object.getPrototypeOf(value) === Object.prototype) {
      return { mapValue: { fields: encodeFields(value as Data) } };
    }
  }
  throw new TypeError('Firestore cannot store this value');
}

/** A document's data. */
export function decodeFields(fields: Fields): Data {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, decodeValue(value)]));
}

function decodeValue(value: Value): unknown {
  const { valueType = '' } = value;
  const given = value[valueType];
  switch (valueType) {
    case 'nullValue':
      return null;
    case 'stringValue':
    case 'booleanValue':
    case 'doubleValue':
    case 'bytesValue':
      return given;
    case 'integerValue':
      return Number(given);
    case 'timestampValue':
      return decodeTime(given as Timestamp);
    case 'arrayValue':
      return (given as { values: Value[] }).values.map(decodeValue);
    case 'mapValue':
      return decodeFields((given as { fields: Fields }).fields);
    default:
      return { [apiValue]: value };
  }
}

function encodeTime(time: Date): Timestamp {
  if (Number.isNaN(time.getTime())) throw new TypeError('Firestore cannot store an invalid date');
  const seconds = Math.floor(time.getTime() / 1000);
  return { seconds, nanos: (time.getTime() - seconds * 1000) * 1_000_000 };
}

/** Rounds down to the millisecond. Rounded up, the last instant of the year 9999 could not be written again. */
export function decodeTime({ seconds, nanos }: Timestamp): Date {
  return new Date(Number(seconds) * 1000 + Math.floor(nanos / 1_000_000));
}
