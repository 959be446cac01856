/**
 * Descriptions of protocol buffers, as protobufjs writes them in JSON, cut down to some services and what those
 * speak of. A client makes code of everything that is described, at each start of a process.
 */

/** A namespace, message, enum or service. */
export type Described = {
  nested?: Record<string, Described>;
  fields?: Record<string, { type: string }>;
  methods?: Record<string, { requestType: string; responseType: string }>;
  values?: object;
};

/**
 * The description with `names` (such as `google.firestore.v1.Firestore`) and all that they refer to, in their
 * namespaces. What is nested in a message stays with it. Options of Google's own, in brackets, go: no client over
 * gRPC looks at them.
 * @throws {Error} where one of the names is not described.
 */
export function describeOnly(root: Described, names: readonly string[]): Described {
  const kept = new Set<string>();
  const keep = (name: string): void => {
    const whole = outermost(root, name);
    if (kept.has(whole)) return;
    kept.add(whole);
    for (const [path, thing] of within(at(root, whole) as Described, whole)) {
      for (const type of typesOf(thing)) {
        const found = resolve(root, type, path);
        if (found) keep(found);
      }
    }
  };
  for (const name of names) {
    if (!at(root, name)) throw new Error(`${name} is not described`);
    keep(name);
  }
  return withoutOptions(cut(root, '', kept)) as Described;
}

const at = (root: Described, name: string) =>
  name.split('.').reduce<Described | undefined>((thing, part) => thing?.nested?.[part], root);

/** The message that something is nested in, or itself. */
function outermost(root: Described, name: string): string {
  const parts = name.split('.');
  const names = parts.map((_, i) => parts.slice(0, i + 1).join('.'));
  return names.find((part) => !isNamespace(at(root, part) ?? {})) ?? name;
}

const isNamespace = ({ fields, methods, values }: Described) => !fields && !methods && !values;

/** A thing and all that is nested in it, with their full names. */
function within(thing: Described, name: string): [string, Described][] {
  const nested = Object.entries(thing.nested ?? {});
  return [[name, thing], ...nested.flatMap(([part, inner]) => within(inner, `${name}.${part}`))];
}

const typesOf = ({ fields = {}, methods = {} }: Described) => [
  ...Object.values(fields).map(({ type }) => type),
  ...Object.values(methods).flatMap(({ requestType, responseType }) => [requestType, responseType]),
];

/** The full name of a type that is spoken of in `from`: looked for there and then outwards. None for `string` and such. */
function resolve(root: Described, type: string, from: string): string | undefined {
  if (type.startsWith('.')) return type.slice(1);
  const scopes = from.split('.');
  const names = [...scopes, ''].map((_, i) => [...scopes.slice(0, scopes.length - i), type].join('.'));
  return names.find((name) => at(root, name));
}

function cut(thing: Described, name: string, kept: ReadonlySet<string>): Described {
  const nested = Object.entries(thing.nested ?? {}).flatMap(([part, inner]): [string, Described][] => {
    const path = name ? `${name}.${part}` : part;
    if (kept.has(path)) return [[part, inner]];
    if (!isNamespace(inner)) return [];
    const rest = cut(inner, path, kept);
    return Object.keys(rest.nested ?? {}).length > 0 ? [[part, rest]] : [];
  });
  return { ...thing, nested: Object.fromEntries(nested) };
}

const withoutOptions = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, inner) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).filter(([key]) => !key.startsWith('(')));
  });
