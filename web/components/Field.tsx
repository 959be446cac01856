type Props = {
  label: string;
  value: string;
  onValue: (value: string) => void;
  type?: 'text' | 'email' | 'password' | 'search';
  autocomplete?: 'username' | 'new-password' | 'current-password' | 'off';
  required?: boolean;
  minLength?: number;
  hint?: string;
};

/** One line of text with its label. */
export function Field({ label, value, onValue, type = 'text', hint, ...attributes }: Props) {
  return (
    <label class="field">
      {label}
      <input
        // Preact's types tie each type to other attributes.
        type={type as 'email'}
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
        {...attributes}
      />
      {hint && <span class="hint">{hint}</span>}
    </label>
  );
}
