import { deskText } from '../strings/en/desk.ts';

type Props = { value: string; onValue: (value: string) => void; max: number; hint?: string };

/** A whole number of credits, at least 1. */
export function AmountField({ value, onValue, max, hint }: Props) {
  return (
    <label class="field">
      {deskText.actions.amount}
      <input
        type="number"
        inputMode="numeric"
        autocomplete="off"
        required
        min={1}
        max={max}
        step={1}
        value={value}
        onInput={({ currentTarget }) => onValue(currentTarget.value)}
      />
      {hint && <span class="hint">{hint}</span>}
    </label>
  );
}
