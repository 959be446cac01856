import { useId } from 'preact/hooks';

type Props = {
  label: string;
  value: string;
  onValue: (value: string) => void;
  type?: 'text' | 'email' | 'password' | 'search';
  autocomplete?: 'username' | 'new-password' | 'current-password' | 'off';
  required?: boolean;
  minLength?: number;
  hint?: string | undefined;
};

/** One line of text with its label. The hint describes it, and is not in its name. */
export function Field({ label, value, onValue, type = 'text', hint, ...attributes }: Props) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        // Preact's types tie each type to other attributes.
        type={type as 'email'}
        value={value}
        aria-describedby={hint && `${id}-hint`}
        onInput={(event) => onValue(event.currentTarget.value)}
        {...attributes}
      />
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  );
}
