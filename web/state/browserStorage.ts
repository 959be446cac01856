/** What the browser keeps by name: for the tab, or for all visits. It may be full or forbidden: then it keeps nothing. */

const createStorage = (getStorage: () => Storage) => ({
  read(name: string): string | null {
    try {
      return getStorage().getItem(name);
    } catch {
      return null;
    }
  },
  /** Returns false if the value is not kept. */
  write(name: string, value: string): boolean {
    try {
      getStorage().setItem(name, value);
      return true;
    } catch {
      return false;
    }
  },
  remove(name: string): void {
    try {
      getStorage().removeItem(name);
    } catch {}
  },
});

/** Until the tab is closed. */
export const tabStorage = createStorage(() => sessionStorage);
/** For all windows and visits. */
export const visitStorage = createStorage(() => localStorage);
