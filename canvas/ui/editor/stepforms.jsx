/** The part of a step's form that is its own: what the JSON Schema alone would ask for too clumsily. */

import { Control, Fields } from "./fields.jsx";
import { AddButton, Choice, RowTools } from "./inputs.jsx";
import { Link } from "./link.jsx";
import { MapField } from "./lists.jsx";
import { Row } from "./rows.jsx";
import { usePanels } from "./store.js";

const COMMON = [
  "name",
  "title",
  "description",
  "type",
  "depends_on",
  "join",
  "retry",
  "timeout_seconds",
  "on_error",
  "on_lost",
  "enabled",
  "delete_after_use",
  "steps",
];

const swap = (list, from, to) => {
  const next = [...list];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
};

function ActionForm({ step, change }) {
  const actions = usePanels((s) => s.catalog.actions);
  const action = usePanels((s) => s.catalog.byAction?.[step.action]);
  const titles = Object.fromEntries(actions.map((a) => [a.name, `${a.title}  ·  ${a.name}`]));
  return (
    <>
      <Row
        label="Action"
        pointer="/action"
        help={action?.description}
        extra={
          action?.origin === "user" && (
            <a className="row-link" href={`/actions/edit/?name=${action.name}`}>
              Open
            </a>
          )
        }
      >
        {() => (
          <Choice
            value={step.action}
            options={actions.map((a) => a.name)}
            titles={titles}
            onChange={(v) => change({ action: v })}
            label="Action"
            testId="field-/action"
          />
        )}
      </Row>
      {action ? (
        <Fields
          schema={action.arguments}
          example={action.example}
          value={step.parameters ?? {}}
          pointer="/parameters"
          onChange={(parameters, at) => change({ parameters }, at)}
        />
      ) : (
        <Row label="Parameters" pointer="/parameters">
          {() => (
            <MapField
              value={step.parameters}
              onChange={(parameters) => change({ parameters })}
              pointer="/parameters"
              addLabel="Add parameter"
            />
          )}
        </Row>
      )}
    </>
  );
}

function LinkForm({ step, change, schema }) {
  const workflows = usePanels((s) => s.catalog.workflows);
  const target = workflows.find((w) => w.name === step.workflow);
  const titles = Object.fromEntries(workflows.map((w) => [w.name, w.title ? `${w.title}  ·  ${w.name}` : w.name]));
  return (
    <>
      <Row
        label="Workflow"
        pointer="/workflow"
        isRequired
        extra={
          target && (
            <Link className="row-link" href={`/workflows/${target.name}/`}>
              Open
            </Link>
          )
        }
      >
        {() => (
          <Choice
            value={step.workflow || undefined}
            options={workflows.map((w) => w.name)}
            titles={titles}
            onChange={(v) => change({ workflow: v ?? "" })}
            label="Workflow"
            testId="field-/workflow"
          />
        )}
      </Row>
      {target && (
        <Fields
          schema={target.parameters}
          value={step.parameters ?? {}}
          pointer="/parameters"
          onChange={(parameters, at) => change({ parameters }, at)}
        />
      )}
      {!target && (
        <Row label="Parameters" pointer="/parameters">
          {() => (
            <MapField
              value={step.parameters}
              onChange={(parameters) => change({ parameters })}
              pointer="/parameters"
              addLabel="Add parameter"
            />
          )}
        </Row>
      )}
      <Fields
        schema={schema}
        value={step}
        pointer=""
        leaveOut={[...COMMON, "workflow", "parameters"]}
        onChange={(next, at) => change(next, at, true)}
      />
    </>
  );
}

const LOOPS = [
  ["collection", "For each item"],
  ["times", "A number of times"],
  ["while", "While true"],
];
const LOOP_HELP = {
  collection: "A list, or an expression that gives one, such as {{ steps.fetch.output.body.items }}",
  times: "A whole number, or an expression that gives one",
  while: "A condition, judged before each iteration",
};

function LoopForm({ step, change, schema }) {
  const kind = LOOPS.map(([key]) => key).find((key) => step[key] !== undefined) ?? "collection";
  const to = (key) =>
    change({ collection: undefined, times: undefined, while: undefined, [key]: key === "times" ? 3 : "" });
  const widget = { collection: {}, times: { type: "integer" }, while: { "x-widget": "expression" } }[kind];
  return (
    <>
      <div className="segments" role="radiogroup" aria-label="Repeat">
        {LOOPS.map(([key, title]) => (
          <button
            type="button"
            key={key}
            role="radio"
            aria-checked={key === kind}
            onClick={() => key !== kind && to(key)}
            data-testid={`loop-${key}`}
          >
            {title}
          </button>
        ))}
      </div>
      <Row
        label={{ collection: "Items", times: "Times", while: "Condition" }[kind]}
        pointer={`/${kind}`}
        help={LOOP_HELP[kind]}
        isRequired
      >
        {(state) => (
          <Control
            value={step[kind]}
            schema={widget}
            pointer={`/${kind}`}
            label={kind}
            state={state}
            onChange={(v) => change({ [kind]: v ?? "" }, kind)}
          />
        )}
      </Row>
      <Fields
        schema={schema}
        value={step}
        pointer=""
        leaveOut={[...COMMON, "collection", "times", "while", ...(kind === "collection" ? [] : ["item_variable"])]}
        onChange={(next, at) => change(next, at, true)}
      />
    </>
  );
}

const caseOf = (given) => (given !== null && typeof given === "object" && "value" in given ? given : { value: given });
const asCase = ({ value, when }) => (when ? { value, when } : value);

function SwitchForm({ step, change, schema }) {
  const cases = (step.cases ?? []).map(caseOf);
  const set = (i, patch) =>
    change({ cases: cases.map((c, n) => asCase(n === i ? { ...c, ...patch } : c)) }, `case ${i}`);
  const add = () => change({ cases: [...cases.map(asCase), `case_${cases.length + 1}`] });
  return (
    <>
      <Row
        label="Value to compare"
        pointer="/on"
        help="An expression, such as steps.classify.output.kind; leave it empty when every case has its own condition."
      >
        {(state) => (
          <Control
            value={step.on}
            schema={{ "x-widget": "expression" }}
            pointer="/on"
            label="Value to compare"
            state={state}
            onChange={(v) => change({ on: v ?? "" }, "on")}
          />
        )}
      </Row>
      <Row
        label="Cases"
        pointer="/cases"
        isDeep
        help="Each case is a way out. With a condition, the case is taken when that holds."
      >
        {() => (
          <div className="rows">
            {cases.map((c, i) => (
              <div className="entry case" key={i}>
                <div className="row-body">
                  <CaseValue value={c.value} onChange={(value) => set(i, { value })} index={i} />
                  <Control
                    value={c.when}
                    schema={{ "x-widget": "expression", default: "condition (optional)" }}
                    pointer={`/cases/${i}/when`}
                    label={`Condition of case ${i + 1}`}
                    onChange={(when) => set(i, { when })}
                  />
                </div>
                <RowTools
                  index={i}
                  count={cases.length}
                  what={`case ${i + 1}`}
                  onMove={(to) => change({ cases: swap(cases, i, to).map(asCase) })}
                  onRemove={() => change({ cases: cases.filter((_, n) => n !== i).map(asCase) })}
                />
              </div>
            ))}
            <AddButton onClick={add} testId="add-/cases">
              Add case
            </AddButton>
          </div>
        )}
      </Row>
      <Fields
        schema={schema}
        value={step}
        pointer=""
        leaveOut={[...COMMON, "on", "cases"]}
        onChange={(next, at) => change(next, at, true)}
      />
    </>
  );
}

/** Text, or a number or word of JSON when it was one before or reads as one. */
function CaseValue({ value, onChange, index }) {
  const read = (text) => (/^(-?\d+(\.\d+)?|true|false|null)$/.test(text) ? JSON.parse(text) : text);
  return (
    <input
      className="input mono"
      value={typeof value === "string" ? value : JSON.stringify(value)}
      aria-label={`Case ${index + 1}`}
      data-testid={`field-/cases/${index}`}
      onChange={(e) => onChange(read(e.target.value))}
    />
  );
}

const WAITS = { seconds: "For a time (seconds)", until: "Until a moment" };

function WaitForm({ step, change }) {
  const list = step.for ?? [];
  const set = (i, item) => change({ for: list.map((x, n) => (n === i ? item : x)) }, `for ${i}`);
  return (
    <Row label="Wait" pointer="/for" isDeep help={list.length > 1 ? "Whichever comes first ends the wait." : undefined}>
      {() => (
        <div className="rows">
          {list.map((item, i) => {
            const kind = "until" in item ? "until" : "seconds";
            const schema =
              kind === "until" ? { type: "string", default: "2030-01-31T09:00:00Z" } : { type: "number", minimum: 0 };
            return (
              <div className="entry" key={i}>
                <div className="row-body stack">
                  <Choice
                    value={kind}
                    options={Object.keys(WAITS)}
                    titles={WAITS}
                    label="Kind of wait"
                    testId={`wait-kind-${i}`}
                    onChange={(k) => set(i, k === "until" ? { until: "" } : { seconds: 60 })}
                  />
                  <Control
                    value={item[kind]}
                    schema={schema}
                    pointer={`/for/${i}/${kind}`}
                    label={WAITS[kind]}
                    onChange={(v) => set(i, { [kind]: v ?? "" })}
                  />
                </div>
                <RowTools
                  index={i}
                  count={list.length}
                  what={`wait ${i + 1}`}
                  onRemove={() => change({ for: list.filter((_, n) => n !== i) })}
                />
              </div>
            );
          })}
          <AddButton onClick={() => change({ for: [...list, { seconds: 60 }] })}>Add alternative</AddButton>
        </div>
      )}
    </Row>
  );
}

function SetForm({ step, change }) {
  return (
    <Row label="Values" pointer="/values" isDeep help="Later steps read them as context.name">
      {() => (
        <MapField
          value={step.values}
          onChange={(values) => change({ values }, "values")}
          pointer="/values"
          addLabel="Add value"
        />
      )}
    </Row>
  );
}

function ConditionForm({ step, change }) {
  return (
    <Row
      label="Condition"
      pointer="/condition"
      isRequired
      help="An expression that is true or false, such as steps.fetch.output.status == 200"
    >
      {(state) => (
        <Control
          value={step.condition}
          schema={{ "x-widget": "expression" }}
          pointer="/condition"
          label="Condition"
          state={state}
          onChange={(v) => change({ condition: v ?? "" }, "condition")}
        />
      )}
    </Row>
  );
}

const GenericForm = ({ step, change, schema }) => (
  <Fields schema={schema} value={step} pointer="" leaveOut={COMMON} onChange={(next, at) => change(next, at, true)} />
);

const FORMS = {
  action: ActionForm,
  workflow_link: LinkForm,
  loop: LoopForm,
  switch: SwitchForm,
  wait: WaitForm,
  set: SetForm,
  condition: ConditionForm,
};

/** `change(patch, field)` merges a patch into the step; with `true` at the end the patch is the whole step. */
export function StepForm(props) {
  const Form = FORMS[props.step.type] ?? GenericForm;
  return <Form {...props} />;
}
