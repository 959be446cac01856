/**
 * Descriptions of protocol buffers, as protobufjs writes them in JSON, cut down to some services and what those
 * speak of. A client makes code of everything that is described, at each start of a process.
 */

/** A namespace, message, enum or service. */
export type ProtoDescription = {
  nested?: Record<string, ProtoDescription>;
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
export function keepServices(root: ProtoDescription, names: readonly string[]): ProtoDescription {
  const keptNames = new Set<string>();
  const keep = (name: string): void => {
    const whole = findOutermost(root, name);
    if (keptNames.has(whole)) return;
    keptNames.add(whole);
    for (const [path, description] of listNested(findByName(root, whole) as ProtoDescription, whole)) {
      for (const type of getTypes(description)) {
        const found = resolveType(root, type, path);
        if (found) keep(found);
      }
    }
  };
  for (const name of names) {
    if (!findByName(root, name)) throw new Error(`${name} is not described`);
    keep(name);
  }
  return withoutOptions(prune(root, '', keptNames)) as ProtoDescription;
}

const findByName = (root: ProtoDescription, name: string) =>
  name
    .split('.')
    .reduce<ProtoDescription | undefined>((description, part) => description?.nested?.[part], root);

/** The message that something is nested in, or itself. */
function findOutermost(root: ProtoDescription, name: string): string {
  const parts = name.split('.');
  const names = parts.map((_, i) => parts.slice(0, i + 1).join('.'));
  return names.find((part) => !isNamespace(findByName(root, part) ?? {})) ?? name;
}

const isNamespace = ({ fields, methods, values }: ProtoDescription) => !fields && !methods && !values;

/** A thing and all that is nested in it, with their full names. */
function listNested(description: ProtoDescription, name: string): [string, ProtoDescription][] {
  const nested = Object.entries(description.nested ?? {});
  return [[name, description], ...nested.flatMap(([part, inner]) => listNested(inner, `${name}.${part}`))];
}

const getTypes = ({ fields = {}, methods = {} }: ProtoDescription) => [
  ...Object.values(fields).map(({ type }) => type),
  ...Object.values(methods).flatMap(({ requestType, responseType }) => [requestType, responseType]),
];

/** The full name of a type that is spoken of in `from`: looked for there and then outwards. None for `string` and such. */
function resolveType(root: ProtoDescription, type: string, from: string): string | undefined {
  if (type.startsWith('.')) return type.slice(1);
  const scopes = from.split('.');
  const names = [...scopes, ''].map((_, i) => [...scopes.slice(0, scopes.length - i), type].join('.'));
  return names.find((name) => findByName(root, name));
}

function prune(
  description: ProtoDescription,
  name: string,
  keptNames: ReadonlySet<string>,
): ProtoDescription {
  const nested = Object.entries(description.nested ?? {}).flatMap(
    ([part, inner]): [string, ProtoDescription][] => {
      const path = name ? `${name}.${part}` : part;
      if (keptNames.has(path)) return [[part, inner]];
      if (!isNamespace(inner)) return [];
      const rest = prune(inner, path, keptNames);
      return Object.keys(rest.nested ?? {}).length > 0 ? [[part, rest]] : [];
    },
  );
  return { ...description, nested: Object.fromEntries(nested) };
}

const withoutOptions = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, inner) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).filter(([key]) => !key.startsWith('(')));
  });
