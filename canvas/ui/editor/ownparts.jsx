/** The parts of a user-defined action's form. */

import { useId } from "react";

import { ExpressionField } from "./expression.jsx";
import { Control, Fields } from "./fields.jsx";
import { ICON_NAMES } from "./icons.js";
import { AddButton, Choice, KeyInput, RowTools, Segments, Switch, TextInput } from "./inputs.jsx";
import { MapField } from "./lists.jsx";
import { BOUNDS, freeName, moved, readAs, renamed, SCHEMA_OF, textOf } from "./own.js";
import { Folded, FormContext, Row } from "./rows.jsx";
import { usePanels } from "./store.js";

function Section({ title, about, children, testId }) {
  const id = useId();
  return (
    <section className="own-section" aria-labelledby={id} data-testid={testId}>
      <h2 id={id}>{title}</h2>
      {about && <p className="own-about">{about}</p>}
      {children}
    </section>
  );
}

const Line = ({ name, label, document, change, help, isLong, isMono, isRequired, placeholder }) => (
  <Row label={label} pointer={`/${name}`} help={help} isRequired={isRequired}>
    {(state) => (
      <TextInput
        value={document[name]}
        label={label}
        placeholder={placeholder}
        testId={`own-${name}`}
        isLong={isLong}
        isMono={isMono}
        isInvalid={state.invalid}
        onChange={(value) => change({ [name]: value })}
      />
    )}
  </Row>
);

function Tags({ document, change }) {
  const split = (text) => text.split(",").map((tag, i, all) => (i < all.length - 1 ? tag.trim() : tag.trimStart()));
  return (
    <Row label="Tags" pointer="/tags" isDeep>
      {() => (
        <TextInput
          value={(document.tags ?? []).join(", ")}
          label="Tags"
          placeholder="ops, shop"
          onChange={(text) => change({ tags: text ? split(text) : [] })}
        />
      )}
    </Row>
  );
}

export function About({ document, change, isNew }) {
  const props = { document, change };
  return (
    <Section title="What it is">
      <div className="own-two">
        <Line {...props} name="title" label="Title" placeholder="Deploy the shop" />
        {isNew ? (
          <Line {...props} name="name" label="Name" help="namespace/name, for ever" isRequired isMono placeholder="team/deploy" />
        ) : (
          <Row label="Name" pointer="/name">
            {() => <span className="own-fixed">{document.name}</span>}
          </Row>
        )}
      </div>
      <Line {...props} name="description" label="Description" isLong placeholder="What it does, in a sentence or two" />
      <div className="own-two">
        <Row label="Icon" pointer="/icon">
          {() => (
            <Choice
              value={document.icon}
              options={ICON_NAMES}
              placeholder="puzzle"
              label="Icon"
              onChange={(icon) => change({ icon })}
            />
          )}
        </Row>
        <Tags {...props} />
      </div>
      <Folded title="More about it" hint={document.definition_of_done ? "definition of done" : ""}>
        <Line
          {...props}
          name="definition_of_done"
          label="Definition of done"
          isLong
          placeholder="What has to be true in the end"
        />
        <Line {...props} name="long_description" label="Long description" isLong />
      </Folded>
    </Section>
  );
}

const Small = ({ label, children }) => (
  <label className="own-small">
    <span>{label}</span>
    {children}
  </label>
);

function Argument({ item, index, count, names, set, rename, move, remove }) {
  const type = item.type ?? "string";
  const at = `/arguments/${index}`;
  const bounds = BOUNDS[type];
  const bound = (key, label) => (
    <Small label={label}>
      <Control
        value={item[key]}
        schema={{ type: "number" }}
        pointer={`${at}/${key}`}
        label={`${label} of ${item.name}`}
        onChange={(value) => set({ [key]: value })}
      />
    </Small>
  );
  return (
    <Row label="" pointer={at} isDeep>
      {() => (
        <div className="named" data-testid={`argument-${item.name}`}>
          <div className="named-head">
            <KeyInput
              value={item.name}
              taken={names}
              label={`Name of argument ${index + 1}`}
              testId={`argument-name-${index}`}
              onChange={rename}
            />
            <Choice
              value={type}
              options={Object.keys(SCHEMA_OF)}
              label={`Type of ${item.name}`}
              testId={`argument-type-${index}`}
              onChange={(next) =>
                set({ type: next, default: undefined, pattern: undefined, min_value: undefined, max_value: undefined })
              }
            />
            <RowTools index={index} count={count} what={item.name} onMove={move} onRemove={remove} />
          </div>
          <div className="own-argument">
            <TextInput
              value={item.description}
              placeholder="What it is for"
              label={`Description of ${item.name}`}
              onChange={(description) => set({ description })}
            />
            <span className="named-flag">
              <Switch
                checked={item.required ?? false}
                label={`${item.name} is required`}
                testId={`argument-required-${index}`}
                onChange={(required) => set({ required: required || undefined })}
              />
              required
            </span>
          </div>
          <div className="own-bounds">
            <Small label="Default">
              <Control
                value={item.default}
                schema={SCHEMA_OF[type]}
                pointer={`${at}/default`}
                label={`Default of ${item.name}`}
                onChange={(value) => set({ default: value === "" ? undefined : value })}
              />
            </Small>
            {bounds && bound("min_value", bounds[0])}
            {bounds && bound("max_value", bounds[1])}
            {type === "string" && (
              <Small label="Pattern">
                <TextInput
                  isMono
                  value={item.pattern}
                  placeholder="^[a-z]+$"
                  label={`Pattern of ${item.name}`}
                  testId={`argument-pattern-${index}`}
                  onChange={(pattern) => set({ pattern: pattern || undefined })}
                />
              </Small>
            )}
          </div>
        </div>
      )}
    </Row>
  );
}

export function Arguments({ document, change }) {
  const list = document.arguments ?? [];
  const write = (next) => change({ arguments: next });
  const names = Object.fromEntries(list.map((one) => [one.name, true]));
  return (
    <Section
      title="Arguments"
      about="What a step gives it, in this order. Below, they are called args.name."
      testId="own-arguments"
    >
      <div className="rows">
        {list.map((item, i) => (
          <Argument
            key={i}
            item={item}
            index={i}
            count={list.length}
            names={names}
            set={(patch) => write(list.map((one, n) => (n === i ? { ...one, ...patch } : one)))}
            rename={(to) => change((now) => renamed(now, item.name, to))}
            move={(to) => write(moved(list, i, to))}
            remove={() => write(list.filter((_, n) => n !== i))}
          />
        ))}
        <AddButton onClick={() => write([...list, { name: freeName(list), type: "string" }])} testId="add-argument">
          Add argument
        </AddButton>
      </div>
    </Section>
  );
}

const READ_AS = {
  before: ["checked before", "An expression over args: it must be true before each call."],
  after: ["checked after", "An expression over args and output: it must be true after each call."],
  people: ["for people", "A sentence: it is shown, and never evaluated."],
};

function Invariant({ item, index, count, isChecked, set, move, remove }) {
  const way = readAs(item, isChecked);
  const [word, about] = READ_AS[way];
  return (
    <Row label="" pointer={`/invariants/${index}`} isDeep>
      {(state) => (
        <div className="entry own-invariant">
          <div className="row-body">
            <ExpressionField
              value={textOf(item)}
              onChange={(text) => set(typeof item === "string" ? text : { ...item, text })}
              isTemplate={false}
              step={null}
              placeholder="args.replicas <= 5, or a sentence"
              label={`Invariant ${index + 1}`}
              testId={`invariant-${index}`}
              isInvalid={state.invalid}
              describedBy={state.describedBy}
            />
          </div>
          <button
            type="button"
            className={`own-way ${way}`}
            title={`${about} Press to read it the other way.`}
            data-testid={`invariant-way-${index}`}
            onClick={() => set({ text: textOf(item), is_expression: way === "people" })}
          >
            {word}
          </button>
          <RowTools index={index} count={count} what={`invariant ${index + 1}`} onMove={move} onRemove={remove} />
        </div>
      )}
    </Row>
  );
}

export function Invariants({ document, change, checked }) {
  const list = document.invariants ?? [];
  const write = (invariants) => change({ invariants });
  return (
    <Section
      title="Invariants"
      about="What has to hold whenever it is called. A broken one fails the step with its text."
      testId="own-invariants"
    >
      <div className="rows">
        {list.map((item, i) => (
          <Invariant
            key={i}
            item={item}
            index={i}
            count={list.length}
            isChecked={checked[i] ?? false}
            set={(next) => write(list.map((one, n) => (n === i ? next : one)))}
            move={(to) => write(moved(list, i, to))}
            remove={() => write(list.filter((_, n) => n !== i))}
          />
        ))}
        <AddButton onClick={() => write([...list, ""])} testId="add-invariant">
          Add invariant
        </AddButton>
      </div>
    </Section>
  );
}

const WAYS = { action: "An action", workflow: "A workflow" };

function Target({ kind, body, set }) {
  const actions = usePanels((s) => s.catalog.actions).filter((one) => one.origin !== "user");
  const workflows = usePanels((s) => s.catalog.workflows);
  const list = kind === "action" ? actions : workflows;
  const titles = Object.fromEntries(list.map((one) => [one.name, one.title ? `${one.title}  ·  ${one.name}` : one.name]));
  const chosen = list.find((one) => one.name === body[kind]);
  return (
    <>
      <Row
        label={kind === "action" ? "Action" : "Workflow"}
        pointer={`/body/${kind}`}
        help={chosen?.description}
        isRequired
      >
        {() => (
          <Choice
            value={body[kind] || undefined}
            options={list.map((one) => one.name)}
            titles={titles}
            label={kind === "action" ? "Action" : "Workflow"}
            testId="own-target"
            onChange={(name) => set({ [kind]: name ?? "", parameters: {} })}
          />
        )}
      </Row>
      {chosen && <Fields
        schema={chosen.arguments ?? chosen.parameters}
        value={body.parameters ?? {}}
        pointer="/body/parameters"
        onChange={(parameters) => set({ ...body, parameters })}
      />}
      {body[kind] && !chosen && (
        <Row label="Parameters" pointer="/body/parameters" isDeep>
          {() => (
            <MapField
              value={body.parameters}
              pointer="/body/parameters"
              addLabel="Add parameter"
              onChange={(parameters) => set({ ...body, parameters })}
            />
          )}
        </Row>
      )}
    </>
  );
}

export function Calls({ document, change }) {
  const body = document.body ?? {};
  const kind = body.workflow !== undefined && !body.action ? "workflow" : "action";
  const set = (next) => change({ body: next });
  return (
    <Section
      title="What it does"
      about="One registered action, or one workflow. Its fields take templates such as {{ args.name }}."
      testId="own-body"
    >
      <Segments label="What it does" value={kind} options={WAYS} onChange={(next) => set({ [next]: "", parameters: {} })} />
      <Target kind={kind} body={body} set={set} />
      {kind === "workflow" && body.workflow && (
        <Row label="Version" pointer="/body/version" help="Empty: whichever is published.">
          {() => (
            <Control
              value={body.version ?? undefined}
              schema={{ type: "integer" }}
              pointer="/body/version"
              label="Version"
              onChange={(version) => set({ ...body, version })}
            />
          )}
        </Row>
      )}
      <label className="own-flag">
        <Switch
          checked={document.read_only ?? false}
          label="It changes nothing"
          testId="own-read-only"
          onChange={(on) => change({ read_only: on || undefined })}
        />
        <span>
          It changes nothing: a call that a crash cut off is simply made again
        </span>
      </label>
    </Section>
  );
}

const ACTORS = ["strategy", "execution", "review", "apply", "estimation", "invariant"];

export function ForPlans({ document, change }) {
  const actors = document.actors ?? {};
  const named = ACTORS.filter((part) => actors[part]).length;
  const context = { isPlain: true };
  return (
    <section className="own-section">
      <Folded title="For plans and forms" hint={named ? `${named} actors` : ""}>
        <div className="own-two">
          <Line document={document} change={change} name="automation_profile" label="Automation profile" />
          <label className="own-flag">
            <Switch
              checked={document.reusable ?? true}
              label="Reusable"
              onChange={(on) => change({ reusable: on ? undefined : false })}
            />
            <span>A plan may apply it more than once</span>
          </label>
        </div>
        <div className="own-two">
          {ACTORS.map((part) => (
            <Row key={part} label={`${part[0].toUpperCase()}${part.slice(1)} actor`} pointer={`/actors/${part}`}>
              {(state) => (
                <TextInput
                  isMono
                  value={actors[part]}
                  placeholder="namespace/name"
                  label={`${part} actor`}
                  isInvalid={state.invalid}
                  onChange={(actor) => change({ actors: { ...actors, [part]: actor || undefined } })}
                />
              )}
            </Row>
          ))}
        </div>
        <FormContext.Consumer>
          {(form) => (
            <FormContext.Provider value={{ ...form, ...context }}>
              <Row
                label="Schema of the arguments"
                pointer="/inputs_schema"
                isDeep
                help="JSON Schema of type object, for what the arguments cannot say; empty: they give it."
              >
                {() => (
                  <Control
                    value={document.inputs_schema ?? undefined}
                    schema={{}}
                    pointer="/inputs_schema"
                    label="Schema of the arguments"
                    onChange={(schema) => change({ inputs_schema: schema === "" ? undefined : schema })}
                  />
                )}
              </Row>
            </FormContext.Provider>
          )}
        </FormContext.Consumer>
      </Folded>
    </section>
  );
}
