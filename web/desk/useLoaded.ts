import { useEffect, useState } from 'preact/hooks';
import { deskProblemText } from './problems.ts';

type Loaded<T> = { value: T | undefined; isLoading: boolean; problem: string };

/** What `load` answers. While it loads again, the last answer stays. @param inputs those that `load` depends on */
export function useLoaded<T>(load: () => Promise<T>, inputs: readonly unknown[]) {
  const [state, setState] = useState<Loaded<T>>({ value: undefined, isLoading: true, problem: '' });
  const [count, setCount] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    setState(({ value }) => ({ value, isLoading: true, problem: '' }));
    load()
      .then((value) => isCurrent && setState({ value, isLoading: false, problem: '' }))
      .catch((error) => {
        if (isCurrent)
          setState(({ value }) => ({ value, isLoading: false, problem: deskProblemText(error) }));
      });
    return () => {
      isCurrent = false;
    };
  }, [...inputs, count]);
  return { ...state, reload: () => setCount((last) => last + 1) };
}
