/** What this browser keeps for whoever uses it: the colours of the page, and whether a hidden tab notifies. */
import { effect, signal } from '@preact/signals';
import { visitStorage } from './browserStorage.ts';

export type Theme = 'system' | 'light' | 'dark';

const themeName = 'nano-banana-studio/theme';
const notifyName = 'nano-banana-studio/notify';

const parseTheme = (value: string | null): Theme =>
  value === 'light' || value === 'dark' ? value : 'system';

export const theme = signal<Theme>(parseTheme(visitStorage.read(themeName)));
/** True if the user wants a notification when images are ready and the tab is hidden. */
export const isNotifying = signal(visitStorage.read(notifyName) === 'on');

/** Applies the theme now and after each change, also of another window. */
export function followPreferences(): void {
  const bars = [...document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')];
  const own = bars.map(({ content }) => content);
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
    // The browser chooses between the two by the system's colours.
    for (const [i, bar] of bars.entries()) {
      const chosen = theme.value === 'system' ? own[i] : own[theme.value === 'light' ? 0 : 1];
      if (chosen) bar.content = chosen;
    }
  });
  addEventListener('storage', ({ key, newValue }) => {
    if (key === themeName) theme.value = parseTheme(newValue);
    if (key === notifyName) isNotifying.value = newValue === 'on';
  });
}

export function setTheme(value: Theme): void {
  theme.value = value;
  visitStorage.write(themeName, value);
}

/** Must be called in the handler of a click: the browser may ask the user. @returns true if notifications are on */
export async function setNotifying(isOn: boolean): Promise<boolean> {
  const isAllowed =
    isOn && 'Notification' in globalThis && (await Notification.requestPermission()) === 'granted';
  isNotifying.value = isAllowed;
  visitStorage.write(notifyName, isAllowed ? 'on' : 'off');
  return isAllowed;
}
