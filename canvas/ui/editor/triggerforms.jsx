/** What each kind of trigger asks for. */

import { Copy } from "lucide-react";
import { useId } from "react";

import { announce } from "./announce.js";
import { Control, Field } from "./fields.jsx";
import { Choice, Segments, TextInput } from "./inputs.jsx";
import { Folded, Row } from "./rows.jsx";
import { usePanels } from "./store.js";
import { useTimetable } from "./timetable.js";

const PRESETS = {
  "0 * * * *": "Every hour",
  "0 9 * * *": "Every day at 09:00",
  "0 9 * * 1-5": "Every weekday at 09:00",
  "0 9 * * 1": "Every Monday at 09:00",
  "0 6 1 * *": "On the first of the month at 06:00",
};

const OVERLAP = { allow: "Start all the same", skip: "Skip this time", queue: "Wait for it to end" };
const CATCH_UP = { last: "Make up for the last one", none: "Forget them", all: "Make up for all of them" };
const SIGNATURE = {
  none: "No: the address is the secret",
  token: "A token in a header",
  standard: "Standard Webhooks signature",
};
const RESPOND = { at_once: "At once, with the run's id", result: "With the run's output, when it has ended" };
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const EXAMPLE = { type: "number", minimum: 0 };

const zones = () => Intl.supportedValuesOf?.("timeZone") ?? [];

/** A text with suggestions. */
function Suggested({ options, ...props }) {
  const id = useId();
  return (
    <>
      <TextInput {...props} list={id} />
      <datalist id={id}>
        {options.map((option) => (
          <option key={option} value={option} />
        ))}
      </datalist>
    </>
  );
}

const moment = (iso, timeZone) =>
  new Date(iso).toLocaleString(undefined, {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
    timeZone,
  });

/** When it is due, in words and the next five times. */
function Due({ item }) {
  const told = useTimetable(item, true);
  if (!told) return <div className="due" aria-busy="true" />;
  if (told.error) return <p className="field-help due-error">{told.error}</p>;
  return (
    <div className="due" data-testid="due">
      <b>{told.words}</b>
      <ol>
        {told.fire_times.map((at) => (
          <li key={at}>{moment(at, item.timezone ?? "UTC")}</li>
        ))}
      </ol>
    </div>
  );
}

function ScheduleForm({ item, set }) {
  const how = item.interval_seconds === undefined || item.interval_seconds === null ? "cron" : "interval";
  const turn = (to) =>
    to === "cron"
      ? set({ interval_seconds: undefined, cron: item.cron ?? "0 9 * * *" })
      : set({ cron: undefined, interval_seconds: item.interval_seconds ?? 300 });
  return (
    <>
      <Segments
        label="How often"
        value={how}
        options={{ cron: "At set times", interval: "In steady steps" }}
        onChange={turn}
      />
      {how === "cron" ? (
        <Row label="Cron" pointer="/cron" help="Minute, hour, day, month, weekday">
          {(state) => (
            <div className="cron">
              <TextInput
                isMono
                value={item.cron}
                label="Cron"
                placeholder="0 9 * * 1-5"
                testId="field-/cron"
                isInvalid={state.invalid}
                onChange={(cron) => set({ cron }, "cron")}
              />
              <Choice
                value={item.cron in PRESETS ? item.cron : undefined}
                options={Object.keys(PRESETS)}
                titles={PRESETS}
                placeholder="Common ones…"
                label="Common schedules"
                testId="cron-presets"
                onChange={(cron) => cron && set({ cron })}
              />
            </div>
          )}
        </Row>
      ) : (
        <Row label="Seconds between starts" pointer="/interval_seconds">
          {() => (
            <Control
              value={item.interval_seconds}
              schema={{ type: "number", minimum: 1 }}
              pointer="/interval_seconds"
              label="Seconds between starts"
              onChange={(v) => set({ interval_seconds: v ?? 60 }, "interval")}
            />
          )}
        </Row>
      )}
      <Row label="Time zone" pointer="/timezone">
        {(state) => (
          <Suggested
            value={item.timezone}
            options={zones()}
            label="Time zone"
            placeholder="UTC"
            testId="field-/timezone"
            isInvalid={state.invalid}
            onChange={(timezone) => set({ timezone: timezone || undefined }, "timezone")}
          />
        )}
      </Row>
      <Due item={item} />
      <Row label="When the run before still goes on" pointer="/overlap">
        {() => (
          <Choice
            value={item.overlap ?? "allow"}
            options={Object.keys(OVERLAP)}
            titles={OVERLAP}
            label="When the run before still goes on"
            testId="field-/overlap"
            onChange={(overlap) => set({ overlap })}
          />
        )}
      </Row>
      <Row label="Starts missed while the server was down" pointer="/catch_up">
        {() => (
          <Choice
            value={item.catch_up ?? "last"}
            options={Object.keys(CATCH_UP)}
            titles={CATCH_UP}
            label="Missed starts"
            testId="field-/catch_up"
            onChange={(catch_up) => set({ catch_up })}
          />
        )}
      </Row>
      <Row
        label="Jitter, in seconds"
        pointer="/jitter_seconds"
        help="Starts up to this much later, so that many schedules do not start in the same second"
      >
        {() => (
          <Control
            value={item.jitter_seconds}
            schema={{ ...EXAMPLE, default: 0 }}
            pointer="/jitter_seconds"
            label="Jitter"
            onChange={(jitter_seconds) => set({ jitter_seconds }, "jitter")}
          />
        )}
      </Row>
    </>
  );
}

function Methods({ item, set }) {
  const chosen = item.methods ?? ["POST"];
  const toggle = (method) =>
    set({ methods: METHODS.filter((m) => (m === method ? !chosen.includes(m) : chosen.includes(m))) });
  return (
    <div className="chips" role="group" aria-label="Methods">
      {METHODS.map((method) => (
        <button type="button" key={method} aria-pressed={chosen.includes(method)} onClick={() => toggle(method)}>
          {method}
        </button>
      ))}
    </div>
  );
}

const addressOf = (path) => `${window.location.origin}/api/hooks/${path}`;

async function copy(text, what) {
  await navigator.clipboard.writeText(text);
  announce(`${what} copied`);
}

const curlOf = (item) => {
  const method = (item.methods ?? ["POST"])[0] ?? "POST";
  const body = method === "GET" ? "" : ` \\\n  -H 'Content-Type: application/json' -d '{"id": 1}'`;
  const token = item.signature === "token" ? " \\\n  -H 'Authorization: Bearer TOKEN'" : "";
  return `curl -X ${method} ${addressOf(item.path ?? "")}${token}${body}`;
};

function WebhookForm({ item, set }) {
  return (
    <>
      <Row label="Address" pointer="/path" isRequired>
        {(state) => (
          <div className="unit path">
            /api/hooks/
            <TextInput
              isMono
              value={item.path}
              label="Path"
              placeholder="my-hook"
              testId="field-/path"
              isInvalid={state.invalid}
              onChange={(path) => set({ path }, "path")}
            />
            <button
              type="button"
              className="icon-button"
              title="Copy the whole address"
              aria-label="Copy the whole address"
              onClick={() => copy(addressOf(item.path), "Address")}
            >
              <Copy size={13} />
            </button>
          </div>
        )}
      </Row>
      <Row label="Methods" pointer="/methods" isDeep>
        {() => <Methods item={item} set={set} />}
      </Row>
      <Row
        label="Must callers prove who they are?"
        pointer="/signature"
        help="The secret is made on publishing and shown once, on the Triggers page"
      >
        {() => (
          <Choice
            value={item.signature ?? "none"}
            options={Object.keys(SIGNATURE)}
            titles={SIGNATURE}
            label="Signature"
            testId="field-/signature"
            onChange={(signature) => set({ signature: signature === "none" ? undefined : signature })}
          />
        )}
      </Row>
      <Row label="Answer" pointer="/respond">
        {() => (
          <Choice
            value={item.respond ?? "at_once"}
            options={Object.keys(RESPOND)}
            titles={RESPOND}
            label="Answer"
            testId="field-/respond"
            onChange={(respond) => set({ respond: respond === "at_once" ? undefined : respond })}
          />
        )}
      </Row>
      {item.respond === "result" && (
        <Row label="Wait for the result at most, in seconds" pointer="/respond_timeout_seconds">
          {() => (
            <Control
              value={item.respond_timeout_seconds}
              schema={{ ...EXAMPLE, default: 30 }}
              pointer="/respond_timeout_seconds"
              label="Seconds to wait for the result"
              onChange={(v) => set({ respond_timeout_seconds: v }, "respond timeout")}
            />
          )}
        </Row>
      )}
      <Folded title="Try it" hint="curl">
        <p className="field-help">Once published, this starts a run:</p>
        <pre className="snippet">{curlOf(item)}</pre>
        <button type="button" className="button small" onClick={() => copy(curlOf(item), "Command")}>
          <Copy size={12} aria-hidden /> Copy
        </button>
      </Folded>
    </>
  );
}

function EventForm({ item, set }) {
  const known = usePanels((s) => s.catalog.events) ?? [];
  const about = known.find((e) => e.type === item.event);
  return (
    <>
      <Row label="Event" pointer="/event" isRequired help={about?.description}>
        {(state) => (
          <Suggested
            isMono
            value={item.event}
            options={known.map((e) => e.type)}
            label="Event"
            placeholder="task.completed"
            testId="field-/event"
            isInvalid={state.invalid}
            onChange={(event) => set({ event }, "event")}
          />
        )}
      </Row>
      <Row
        label="Only if"
        pointer="/filter"
        isDeep
        help="An expression over event.type and event.data; without one every event of the type counts"
      >
        {(state) => (
          <Control
            value={item.filter}
            schema={{ "x-widget": "expression", default: "event.data.priority <= 2" }}
            pointer="/filter"
            label="Only if"
            state={state}
            onChange={(filter) => set({ filter }, "filter")}
          />
        )}
      </Row>
    </>
  );
}

export const TRIGGER_FORMS = { schedule: ScheduleForm, webhook: WebhookForm, event: EventForm };

const SEEN = {
  schedule: "{{ trigger.data.fire_at }}",
  webhook: "{{ trigger.data.body.id }}",
  event: "{{ trigger.data.data.id }}",
};

/** What the run is given: a value or template for each parameter of the workflow. */
export function Mapping({ item, set, parameters }) {
  const given = item.parameters ?? {};
  const names = [...new Set([...Object.keys(parameters), ...Object.keys(given)])];
  const write = (name) => (value) => {
    const next = { ...given, [name]: value };
    if (value === undefined) delete next[name];
    set({ parameters: Object.keys(next).length ? next : undefined }, `parameter ${name}`);
  };
  if (!names.length)
    return (
      <p className="field-help">
        The workflow has no parameters. Its steps see what started them as <code>trigger.data</code>.
      </p>
    );
  return names.map((name) => (
    <Field
      key={name}
      name={name}
      schema={{ "x-widget": "any", description: parameters[name]?.description, examples: [SEEN[item.type]] }}
      value={given[name]}
      pointer={`/parameters/${name}`}
      isRequired={Boolean(parameters[name]?.required)}
      onChange={write(name)}
    />
  ));
}
