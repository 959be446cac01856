/** Where the gallery was scrolled to when this tab was reloaded. */
import { tabStorage } from './browserStorage.ts';

/** @property top pixels. @property count of the images that were loaded */
type Place = { top: number; count: number };

const nameOf = (uid: string) => `nano-banana-studio/scroll/${uid}`;

export const scrollMemory = {
  save(uid: string, place: Place): void {
    tabStorage.write(nameOf(uid), JSON.stringify(place));
  },
  /** Returns the place once, and only if the page was reloaded: a new visit begins at the top. */
  take(uid: string): Place | undefined {
    const place = tabStorage.read(nameOf(uid));
    tabStorage.remove(nameOf(uid));
    try {
      const [visit] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
      return place && visit?.type === 'reload' ? JSON.parse(place) : undefined;
    } catch {
      return undefined;
    }
  },
};
