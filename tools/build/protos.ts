/**
 * Reduces descriptions of protocol buffers, in protobufjs's JSON form, to some services and the types they use. At
 * each start of a process, a client generates code for everything in its description.
 */

/** A namespace, message, enum or service. */
export type ProtoDescription = {
  nested?: Record<string, ProtoDescription>;
  fields?: Record<string, { type: string }>;
  methods?: Record<string, { requestType: string; responseType: string }>;
  values?: object;
};

/**
 * Keeps the services in `names` (such as `google.firestore.v1.Firestore`) and all types that they refer to, in their
 * namespaces. A message keeps its nested types. Google's own options, in parentheses, are removed: gRPC clients do not
 * read them.
 * @throws {Error} if a name is not described.
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
  return removeOptions(prune(root, '', keptNames)) as ProtoDescription;
}

const findByName = (root: ProtoDescription, name: string) =>
  name
    .split('.')
    .reduce<ProtoDescription | undefined>((description, part) => description?.nested?.[part], root);

/** The outermost message around a type, or the type itself. */
function findOutermost(root: ProtoDescription, name: string): string {
  const parts = name.split('.');
  const names = parts.map((_, i) => parts.slice(0, i + 1).join('.'));
  return names.find((part) => !isNamespace(findByName(root, part) ?? {})) ?? name;
}

const isNamespace = ({ fields, methods, values }: ProtoDescription) => !fields && !methods && !values;

/** A description and everything nested in it, with full names. */
function listNested(description: ProtoDescription, name: string): [string, ProtoDescription][] {
  const nested = Object.entries(description.nested ?? {});
  return [[name, description], ...nested.flatMap(([part, inner]) => listNested(inner, `${name}.${part}`))];
}

const getTypes = ({ fields = {}, methods = {} }: ProtoDescription) => [
  ...Object.values(fields).map(({ type }) => type),
  ...Object.values(methods).flatMap(({ requestType, responseType }) => [requestType, responseType]),
];

/** The full name of a type used in `from`: searched there, then in each outer scope. Undefined for scalars. */
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

const removeOptions = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, inner) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).filter(([key]) => !key.startsWith('(')));
  });
