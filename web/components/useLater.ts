import { useEffect, useState } from 'preact/hooks';

/** Loads a view once it is needed. @param load always the same function */
export function useLater<View>(
  isNeeded: boolean,
  load: () => Promise<View>,
): { view?: View; error?: unknown } {
  const [loaded, setLoaded] = useState<{ view?: View; error?: unknown }>({});
  useEffect(() => {
    if (!isNeeded || loaded.view) return;
    load()
      .then((view) => setLoaded({ view }))
      .catch((error) => setLoaded({ error }));
  }, [isNeeded, loaded.view, load]);
  return loaded;
}
