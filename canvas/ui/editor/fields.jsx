/** Forms made from JSON Schema: a field shows its problems under itself and knows its JSON pointer in the step. */

import { memo, useContext, useState } from "react";

import { AnyField } from "./anyfield.jsx";
import { ConnectionField } from "./connectionfield.jsx";
import { ExpressionField } from "./expression.jsx";
import { AddButton, Choice, NumberInput, RowTools, Switch, TextInput } from "./inputs.jsx";
import { ListField, MapField } from "./lists.jsx";
import { Folded, FormContext, join, Row } from "./rows.jsx";
import { bounds, choices, firstFields, innerOf, isTemplateText, resolve, titleOf, widgetOf } from "./schema.js";
import { usePanels } from "./store.js";

function TextOrTemplate({ value, schema, onChange, label, pointer, state, isTemplate = true, isCode = false }) {
  const { step } = useContext(FormContext);
  const hint =
    schema.default !== undefined && schema.default !== null ? String(schema.default) : (schema.examples?.[0] ?? "");
  return (
    <ExpressionField
      value={value}
      onChange={(text) => onChange(text === "" ? undefined : text)}
      isTemplate={isTemplate}
      isCode={isCode}
      step={step}
      placeholder={String(hint)}
      label={label}
      testId={`field-${pointer}`}
      isInvalid={state.invalid}
      describedBy={state.describedBy}
    />
  );
}

/** An object with its fields; one that may be left out altogether is asked for first. */
function Group({ value, schema, onChange, pointer, label }) {
  if (schema.default === null && (value === undefined || value === null))
    return (
      <AddButton onClick={() => onChange({})} testId={`add-${pointer}`}>
        Set up
      </AddButton>
    );
  return (
    <div className="group">
      {schema.default === null && (
        <span className="group-tools">
          <RowTools what={label} onRemove={() => onChange(undefined)} />
        </span>
      )}
      <Fields schema={schema} value={value ?? {}} onChange={onChange} pointer={pointer} />
    </div>
  );
}

const CALM = { invalid: false, describedBy: undefined };

/** The control alone, without a label. */
export const Control = memo(({ value, schema, onChange, pointer, label, state = CALM }) => {
  const { step, isPlain } = useContext(FormContext);
  const widget = widgetOf(schema);
  const isLoose = ["number", "boolean", "enum", "list", "map", "group", "connection"].includes(widget);
  if (isLoose && isTemplateText(value))
    return <TextOrTemplate {...{ value, schema, onChange, label, pointer, state }} />;
  const common = {
    value,
    onChange,
    label,
    testId: `field-${pointer}`,
    isInvalid: state.invalid,
    describedBy: state.describedBy,
  };
  switch (widget) {
    case "number":
      return <NumberInput {...common} schema={schema} />;
    case "boolean":
      return (
        <Switch checked={value ?? schema.default ?? false} onChange={onChange} label={label} testId={common.testId} />
      );
    case "enum":
      return (
        <Choice
          {...common}
          options={choices(schema)}
          placeholder={schema.default !== undefined && schema.default !== null ? `${schema.default} (default)` : "–"}
        />
      );
    case "connection":
      return <ConnectionField {...common} schema={schema} />;
    case "list":
      return <ListField {...{ value, schema, onChange, pointer, label }} />;
    case "map":
      return <MapField value={value} inner={innerOf(schema) ?? {}} onChange={onChange} pointer={pointer} />;
    case "group":
      return <Group {...{ value, schema, onChange, pointer, label }} />;
    case "expression":
      return <TextOrTemplate {...{ value, schema, onChange, label, pointer, state }} isTemplate={false} />;
    case "line":
      return <TextInput {...common} placeholder={schema.default} />;
    case "text":
      if (isPlain) return <TextInput {...common} isLong placeholder={schema.default} />;
      return <TextOrTemplate {...{ value, schema, onChange, label, pointer, state }} isCode />;
    case "code":
      if (schema["x-literal"]) return <TextInput {...common} isLong isMono />;
      return <TextOrTemplate {...{ value, schema, onChange, label, pointer, state }} isCode />;
    case "template":
      return <TextOrTemplate {...{ value, schema, onChange, label, pointer, state }} />;
    default:
      return <AnyField {...common} step={step} state={state} />;
  }
});

const HAS_OWN_TEXT = new Set(["template", "expression", "line", "text", "code", "any"]);

/** Switches a number, boolean, choice or list to an expression and back. */
function ExpressionToggle({ value, onChange, label }) {
  const isOn = isTemplateText(value);
  return (
    <button
      type="button"
      className={`fx ${isOn ? "on" : ""}`}
      aria-pressed={isOn}
      aria-label={`${label} as an expression`}
      title={isOn ? "Write a plain value" : "Write an expression"}
      onClick={() => onChange(isOn ? undefined : "{{  }}")}
    >
      fx
    </button>
  );
}

export const Field = memo(({ name, schema: given, value, onChange, pointer, isRequired }) => {
  const { root, isPlain } = useContext(FormContext);
  const schema = resolve(given, root);
  const label = titleOf(name, schema);
  const widget = widgetOf(schema);
  const extra =
    isPlain || HAS_OWN_TEXT.has(widget) ? null : <ExpressionToggle value={value} onChange={onChange} label={label} />;
  return (
    <Row
      label={label}
      help={[schema.description, bounds(schema)].filter(Boolean).join(" ")}
      pointer={pointer}
      isRequired={isRequired}
      extra={extra}
      isInline={widget === "boolean" && !isTemplateText(value)}
      isDeep={widget === "any" || isTemplateText(value)}
    >
      {(state) => (
        <Control value={value} schema={schema} onChange={onChange} pointer={pointer} label={label} state={state} />
      )}
    </Row>
  );
});

/** All properties of an object: those that matter first, what is rarely needed folded away. */
export function Fields({ schema, value, onChange, pointer, leaveOut = [], example }) {
  const required = new Set(schema.required ?? []);
  const all = Object.entries(schema.properties ?? {}).filter(([key]) => !leaveOut.includes(key));
  const first = useShown(schema, all, value, example);
  const set = (key) => (v) => {
    const next = { ...value, [key]: v };
    if (v === undefined) delete next[key];
    onChange(next, join(pointer, key));
  };
  const known = new Set(all.map(([key]) => key));
  const unknown = Object.keys(value ?? {}).filter((key) => !known.has(key) && !leaveOut.includes(key));
  const field = ([key, inner]) => (
    <Field
      key={key}
      name={key}
      schema={inner}
      value={value?.[key]}
      onChange={set(key)}
      pointer={join(pointer, key)}
      isRequired={required.has(key)}
    />
  );
  const rest = all.filter(([key]) => !first.has(key));
  return (
    <>
      {all.filter(([key]) => required.has(key)).map(field)}
      {all.filter(([key]) => !required.has(key) && first.has(key)).map(field)}
      {unknown.map((key) => (
        <Field key={key} name={key} schema={{}} value={value[key]} onChange={set(key)} pointer={join(pointer, key)} />
      ))}
      {rest.length > 0 && (
        <More
          pointer={pointer}
          names={rest.map(([key, inner]) => titleOf(key, inner))}
          pointers={rest.map(([key]) => join(pointer, key))}
        >
          {rest.map(field)}
        </More>
      )}
    </>
  );
}

/** The keys shown unfolded. What is set while the form is open stays where it is. */
function useShown(schema, all, value, example) {
  const [shown, setShown] = useState(() => ({ schema, keys: firstFields(schema, all, value, example) }));
  if (shown.schema === schema) return shown.keys;
  const keys = firstFields(schema, all, value, example);
  setShown({ schema, keys });
  return keys;
}

/** Fields that are rarely needed; it opens when one of them has to be seen. */
function More({ pointer, names, pointers, children }) {
  const { step, problems } = useContext(FormContext);
  const focus = usePanels((s) => s.focus);
  const isAt = (pointer) => pointers.some((p) => pointer === p || pointer.startsWith(`${p}/`));
  const isOpen = (focus?.step === step && isAt(focus.pointer)) || problems.some((p) => isAt(p.relative));
  return (
    <Folded title="More options" hint={names.join(", ")} isOpen={isOpen} testId={`fold-more-${pointer}`}>
      {children}
    </Folded>
  );
}
