/** The little that the page needs of a library for the DOM. */

/** The element of that id, which the page must have. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} #${id}`);
  return found;
}

/** A new element with these properties, and text or elements in it; text is never read as HTML. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** The chosen value of a group of radio buttons, disabled or not; empty where there is none yet. */
export function chosen(form: HTMLFormElement, name: string): string {
  return form.querySelector<HTMLInputElement>(`input[name=${name}]:checked`)?.value ?? '';
}

const shortTime = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
});
const wholeTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

/** A moment as people in this place write it. @param rfc3339 as the functions give it. */
export function timeElement(rfc3339: string): HTMLTimeElement {
  const at = new Date(rfc3339);
  return make('time', { dateTime: rfc3339, title: wholeTime.format(at) }, shortTime.format(at));
}
