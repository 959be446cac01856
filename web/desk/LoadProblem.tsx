import { Button } from '../components/Button.tsx';
import { text } from '../strings/en.ts';

type Props = { problem: string; isLoading: boolean; onRetry: () => void };

/** What a view says while it has nothing to show, or if it could not be loaded. */
export function LoadProblem({ problem, isLoading, onRetry }: Props) {
  if (isLoading) return <p class="quiet">{text.common.loading}</p>;
  if (!problem) return null;
  return (
    <div class="row" role="alert">
      <p class="problem">{problem}</p>
      <Button onClick={onRetry}>{text.common.tryAgain}</Button>
    </div>
  );
}
