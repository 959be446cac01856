/** A form as Stripe reads it: `a[b]=1&c[0]=2` is `{a: {b: '1'}, c: ['2']}`. */
export type Form = { [name: string]: FormValue };
type FormValue = string | FormValue[] | Form;

/** Parses a body or a query. Objects have no prototype, so that a name like `__proto__` is a name like others. */
export function parseForm(text: string): Form {
  const form: Form = Object.create(null);
  for (const [rawName, value] of new URLSearchParams(text)) {
    const first = /^[^[]+/.exec(rawName)?.[0] ?? rawName;
    const rest = [...rawName.slice(first.length).matchAll(/\[([^\]]*)\]/g)].map(([, key = '']) => key);
    setValue(form, [first, ...rest], value);
  }
  return withLists(form) as Form;
}

function setValue(form: Form, [name = '', ...rest]: string[], value: string): void {
  const key = name === '' ? String(Object.keys(form).length) : name;
  if (rest.length === 0) {
    form[key] = value;
    return;
  }
  const before = form[key];
  const inner = (typeof before === 'object' ? before : Object.create(null)) as Form;
  form[key] = inner;
  setValue(inner, rest, value);
}

/** Makes lists of the objects with the keys 0, 1, 2…. */
function withLists(value: FormValue): FormValue {
  if (typeof value === 'string' || Array.isArray(value)) return value;
  const keys = Object.keys(value);
  if (keys.length > 0 && keys.every((key, index) => key === String(index))) {
    return Object.values(value).map(withLists);
  }
  for (const key of keys) value[key] = withLists(value[key] as FormValue);
  return value;
}
