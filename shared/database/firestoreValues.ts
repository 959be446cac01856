/**
 * Plain data as Firestore's API has it, and back: times are Dates, whole numbers and fractions are numbers.
 * Shapes and names are those of google.firestore.v1.Value and Document; what Google's client reads has its
 * 64-bit numbers as text, and `valueType` names the one field of a value that is set.
 */
import type { Data } from './database.ts';

export type Timestamp = { seconds: string | number; nanos: number };
export type Value = { valueType?: string } & Record<string, unknown>;
export type Fields = Record<string, Value>;
export type ApiDocument = { name: string; fields: Fields; updateTime: Timestamp };

/** Where a value that only an admin can have typed is kept as it came: a place, a reference, a kind of later years. */
const asItCame = Symbol('as it came');

/** Fields of a document; what is undefined is left out. @throws {TypeError} for what Firestore has no value for. */
export function encodeFields(data: Data): Fields {
  const given = Object.entries(data).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, encodeValue(value)]));
}

/** @throws {TypeError} for what Firestore has no value for. */
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
    if (asItCame in value) return value[asItCame] as Value;
    if (Object.getPrototypeOf(value) === Object.prototype) {
      return { mapValue: { fields: encodeFields(value as Data) } };
    }
  }
  throw new TypeError('Firestore has no value for this');
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
      return { [asItCame]: value };
  }
}

function encodeTime(time: Date): Timestamp {
  if (Number.isNaN(time.getTime())) throw new TypeError('Firestore has no value for an invalid date');
  const seconds = Math.floor(time.getTime() / 1000);
  return { seconds, nanos: (time.getTime() - seconds * 1000) * 1_000_000 };
}

/** To the millisecond that a time is in, as a Date has it: rounded up, the last of year 9999 could not be written again. */
export function decodeTime({ seconds, nanos }: Timestamp): Date {
  return new Date(Number(seconds) * 1000 + Math.floor(nanos / 1_000_000));
}
