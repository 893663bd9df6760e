/** The form of the workflow itself: what it is called, what it takes and gives. */

import { memo, useMemo } from "react";

import { changeMeta } from "./edits.js";
import { Control, Fields } from "./fields.jsx";
import { AddButton, Choice, KeyInput, RowTools, Switch, TextInput } from "./inputs.jsx";
import { Folded, FormContext, Row } from "./rows.jsx";
import { useGraph, usePanels } from "./store.js";

const TYPES = ["string", "integer", "number", "boolean", "list", "object", "any"];
const SCHEMA_OF = {
  string: { type: "string" },
  integer: { type: "integer" },
  number: { type: "number" },
  boolean: { type: "boolean" },
  list: { type: "array" },
  object: { type: "object" },
  any: {},
};

const without = (object, key) =>
  Object.fromEntries(Object.entries(object).filter(([k, v]) => k !== key || v !== undefined));
const compact = (object) =>
  Object.fromEntries(Object.entries(object).filter(([, v]) => v !== undefined && v !== "" && v !== false));

function renamed(object, from, to) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key === from ? to : key, value]));
}

function freeKey(object, wish) {
  let key = wish;
  for (let n = 2; key in object; n += 1) key = `${wish}_${n}`;
  return key;
}

/** Rows of named things, each with a small form: parameters and outputs. */
function Named({ field, what, label, help, children, blank }) {
  const value = useGraph((s) => s.model.meta[field]) ?? {};
  const write = (next, merge) =>
    changeMeta({ [field]: Object.keys(next).length ? next : undefined }, merge && `${field} ${merge}`);
  return (
    <Row label={label} pointer={`/${field}`} help={help}>
      {() => (
        <div className="rows">
          {Object.entries(value).map(([key, item], i) => (
            <div className="named" key={i} data-testid={`${what}-${key}`}>
              <div className="named-head">
                <KeyInput
                  value={key}
                  taken={value}
                  label={`Name of ${what} ${key}`}
                  testId={`${what}-name-${i}`}
                  onChange={(to) => write(renamed(value, key, to))}
                />
                <Choice
                  value={item?.type ?? "string"}
                  options={TYPES}
                  label={`Type of ${key}`}
                  testId={`${what}-type-${key}`}
                  onChange={(type) => write({ ...value, [key]: { ...item, type } })}
                />
                <RowTools what={key} onRemove={() => write(without({ ...value, [key]: undefined }, key))} />
              </div>
              {children(key, item ?? {}, (patch, merge) =>
                write({ ...value, [key]: compactItem({ ...item, ...patch }) }, `${key} ${merge}`),
              )}
            </div>
          ))}
          <AddButton
            onClick={() => write({ ...value, [freeKey(value, what)]: blank })}
            testId={`add-${what}`}
          >{`Add ${what}`}</AddButton>
        </div>
      )}
    </Row>
  );
}

const compactItem = (item) =>
  Object.fromEntries(
    Object.entries(item).filter(
      ([key, v]) => v !== undefined && !(key === "required" && v === false) && !(key === "description" && v === ""),
    ),
  );

const Parameters = () => (
  <Named
    field="parameters"
    what="parameter"
    label="Parameters"
    help="Asked for when a run starts; steps read them as workflow.parameters.name"
    blank={{ type: "string" }}
  >
    {(key, item, set) => (
      <div className="named-body">
        <Control
          value={item.default}
          schema={{ ...SCHEMA_OF[item.type ?? "string"], ...(item.enum?.length ? { enum: item.enum } : {}) }}
          pointer={`/parameters/${key}/default`}
          label={`Default of ${key}`}
          onChange={(v) => set({ default: v }, "default")}
        />
        <span className="named-flag">
          <Switch
            checked={item.required ?? false}
            label={`${key} is required`}
            onChange={(required) => set({ required })}
          />{" "}
          required
        </span>
        <TextInput
          value={item.description}
          placeholder="Description"
          label={`Description of ${key}`}
          onChange={(description) => set({ description }, "description")}
        />
      </div>
    )}
  </Named>
);

const Outputs = () => (
  <Named field="outputs" what="output" label="Outputs" help="What a run ends with" blank={{ type: "any", value: "" }}>
    {(key, item, set) => (
      <div className="named-body single">
        <Control
          value={item.value}
          schema={{ type: "string", default: "{{ steps.name.output }}" }}
          pointer={`/outputs/${key}/value`}
          label={`Value of ${key}`}
          onChange={(value) => set({ value: value ?? "" }, "value")}
        />
      </div>
    )}
  </Named>
);

function Tags() {
  const tags = useGraph((s) => s.model.meta.tags) ?? [];
  const write = (text) =>
    changeMeta(
      {
        tags: text
          .split(",")
          .map((t) => t.trimStart())
          .filter((t, i, all) => t !== "" || i === all.length - 1),
      },
      "tags",
    );
  const clean = () =>
    changeMeta(
      {
        tags: tags.map((t) => t.trim()).filter(Boolean).length ? tags.map((t) => t.trim()).filter(Boolean) : undefined,
      },
      "tags",
    );
  return (
    <div onBlur={clean}>
      <TextInput value={tags.join(", ")} label="Tags" testId="field-/tags" placeholder="http, daily" onChange={write} />
    </div>
  );
}

export const WorkflowForm = memo(() => {
  const meta = useGraph((s) => s.model.meta);
  const readOnly = useGraph((s) => s.readOnly);
  const problems = usePanels((s) => s.problems);
  const settings = usePanels((s) => s.catalog.settings);
  const context = useMemo(
    () => ({
      step: null,
      root: {},
      readOnly,
      problems: problems.filter((p) => !p.step).map((p) => ({ ...p, relative: p.pointer })),
    }),
    [problems, readOnly],
  );
  return (
    <FormContext.Provider value={context}>
      <header className="inspector-head">
        <div className="inspector-title">
          <div className="grow">
            <input
              className="title-input"
              value={meta.title ?? ""}
              placeholder={meta.name}
              readOnly={readOnly}
              aria-label="Title of the workflow"
              data-testid="field-/title"
              onChange={(e) => changeMeta({ title: e.target.value }, "title")}
            />
            <div className="name-row">
              <span className="name-prefix">{meta.name}</span>
            </div>
          </div>
        </div>
      </header>
      <fieldset className="inspector-body" disabled={readOnly}>
        <Row label="Description" pointer="/description">
          {() => (
            <TextInput
              isLong
              value={meta.description}
              label="Description"
              testId="field-/description"
              placeholder="What it is for"
              onChange={(description) => changeMeta({ description }, "description")}
            />
          )}
        </Row>
        <Parameters />
        <Outputs />
        <div className="pair-fields">
          <Row label="Category" pointer="/category">
            {() => (
              <TextInput
                value={meta.category}
                label="Category"
                testId="field-/category"
                onChange={(category) => changeMeta({ category }, "category")}
              />
            )}
          </Row>
          <Row label="Tags" pointer="/tags">
            {() => <Tags />}
          </Row>
        </div>
        <Folded
          title="Limits of a run"
          hint={meta.settings?.timeout_minutes ? `${meta.settings.timeout_minutes} min` : ""}
        >
          <Fields
            schema={settings}
            value={meta.settings ?? {}}
            pointer="/settings"
            onChange={(next, at) => changeMeta({ settings: compact(next) }, at)}
          />
        </Folded>
      </fieldset>
    </FormContext.Provider>
  );
});
