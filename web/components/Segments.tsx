import type { ComponentChildren } from 'preact';

export type Choice<Value extends string | number> = { value: Value; label: ComponentChildren };

type Props<Value extends string | number> = {
  /** The name of the group for the form and, with a legend, for screen readers. */
  name: string;
  legend: string;
  choices: readonly Choice<Value>[];
  value: Value;
  onChange: (value: Value) => void;
  disabled?: boolean;
  /** The class of the list of choices: small segments by default. */
  look?: string;
};

/** A choice of one from a few, as radio buttons. */
export function Segments<Value extends string | number>(props: Props<Value>) {
  const { name, legend, choices, value, onChange, disabled = false, look = 'segments' } = props;
  return (
    <fieldset class="field" disabled={disabled}>
      <legend>{legend}</legend>
      <div class={look}>
        {choices.map((choice) => (
          <label key={choice.value}>
            <input
              type="radio"
              name={name}
              checked={choice.value === value}
              onChange={() => onChange(choice.value)}
            />
            <span>{choice.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
