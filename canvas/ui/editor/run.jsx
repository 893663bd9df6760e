/** The run page: the canvas of the run's version with live states, and beside it what the steps did. */

import "./canvas.css";
import "./panels.css";
import "./forms.css";
import "./overlays.css";
import "./run.css";

import { ChevronLeft, Pencil } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";

import { Canvas } from "./canvas.jsx";
import { Notice, ViewButtons } from "./controls.jsx";
import { Dialogs } from "./dialogs.jsx";
import { connectFeed } from "./feed.js";
import { iconOf } from "./icons.js";
import { Json } from "./json.jsx";
import { listen } from "./keys.js";
import { Link } from "./link.jsx";
import { clear, useLive } from "./live.js";
import { ancestors, walk } from "./model.js";
import { OriginPanel, startedBy } from "./originpanel.jsx";
import { Duration, errorText, Progress, RunButtons, span, stateWord } from "./runbar.jsx";
import { Lines, StepPanel } from "./steppanel.jsx";
import { close as closeGraph, select, setCatalog, useGraph, usePanels } from "./store.js";
import { attachHandlers, begin, call, onReply } from "./sync.js";
import { reveal } from "./view.js";
import { TYPE_TITLES } from "./typewords.js";

const date = (iso) =>
  new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium", hour12: false });

function Bar() {
  const info = usePanels((s) => s.info);
  const title = useGraph((s) => s.model.meta.title);
  const run = useLive((s) => s.run) ?? info.run;
  const isConnected = useLive((s) => s.isConnected);
  if (!info.run_id) return <header className="bar" />;
  return (
    <header className="bar run-head" data-state={run?.status}>
      <Link className="icon-button" href="/runs/" aria-label="All runs" title="All runs">
        <ChevronLeft size={17} />
      </Link>
      <h1 className="bar-title">
        <Link href={`/workflows/${info.name}/`}>{title || info.name}</Link>
      </h1>
      <span className="chip state" data-state={run?.status} data-testid="run-status">
        {run ? stateWord(run) : "…"}
      </span>
      {run && <Progress run={run} />}
      {run && (
        <span className="quiet tabular" data-testid="run-progress">
          {run.settled}/{run.total}
        </span>
      )}
      <Duration run={run} />
      <span className="quiet wide">
        v{info.version} · {info.trigger}
        {info.dry_run ? " · dry run" : ""}
      </span>
      {!isConnected && run && !run.ended_at && <span className="quiet">connecting…</span>}
      <span className="grow" />
      <RunButtons run={run} act={(verb) => call("control", { run_id: info.run_id, verb })} />
      <Link className="button small" href={`/workflows/${info.name}/`}>
        <Pencil size={12} aria-hidden /> <span className="wide">Edit workflow</span>
      </Link>
    </header>
  );
}

const StepRow = memo(({ name, depth }) => {
  const step = useGraph((s) => s.model.entries[name].step);
  const live = useLive((s) => s.nodes[name]);
  const action = usePanels((s) => s.catalog.byAction?.[step.action]);
  const isSelected = useGraph((s) => s.selected.length === 1 && s.selected[0] === name);
  const Icon = iconOf(step.type, action?.icon);
  const show = () => {
    select([name]);
    reveal.step(name);
  };
  return (
    <li>
      <button
        type="button"
        className="step-row"
        style={{ paddingLeft: 10 + depth * 16 }}
        aria-current={isSelected || undefined}
        data-kind={step.type}
        data-state={live?.s ?? "idle"}
        data-testid={`step-${name}`}
        onClick={show}
      >
        <span className="tile small" aria-hidden>
          <Icon size={13} strokeWidth={2} />
        </span>
        <span className="step-title">{step.title || name}</span>
        {live?.t > 1 && (
          <span className="quiet tabular">
            {live.n?.completed ?? 0}/{live.t}
          </span>
        )}
        {live?.a > 1 && <span className="quiet tabular">×{live.a}</span>}
        {live?.d !== undefined && live.s !== "skipped" && <span className="quiet tabular">{span(live.d)}</span>}
        <span className="step-state">{live?.s ?? ""}</span>
        <span className="state-dot" data-state={live?.s ?? "idle"} aria-hidden />
      </button>
    </li>
  );
});

function Overview() {
  const model = useGraph((s) => s.model);
  const info = usePanels((s) => s.info);
  const run = useLive((s) => s.run) ?? info.run;
  const [tab, setTab] = useState("steps");
  const lines = useLive((s) => s.lines);
  const tabs = [
    ["steps", "Steps"],
    ["log", `Log${lines.length ? ` ${lines.length}` : ""}`],
    ["values", "Values"],
  ];
  return (
    <>
      <div className="tabs" role="tablist">
        {tabs.map(([key, label]) => (
          <button
            type="button"
            key={key}
            role="tab"
            aria-selected={tab === key}
            onClick={() => setTab(key)}
            data-testid={`tab-${key}`}
          >
            {label}
          </button>
        ))}
      </div>
      {run?.error && (
        <div className="attempt-error" data-testid="run-error">
          {errorText(run.error)}
        </div>
      )}
      {tab === "steps" && (
        <ul className="step-list">
          {walk(model).map((name) => (
            <StepRow key={name} name={name} depth={ancestors(model, name).length} />
          ))}
        </ul>
      )}
      {tab === "log" && (
        <div className="panel-pad">
          <Lines lines={lines} />
        </div>
      )}
      {tab === "values" && (
        <div className="panel-pad">
          <dl className="facts">
            <div>
              <dt>Run</dt>
              <dd>{info.run_id}</dd>
            </div>
            {run?.started_at && (
              <div>
                <dt>Started</dt>
                <dd>{date(run.started_at)}</dd>
              </div>
            )}
            {run?.ended_at && (
              <div>
                <dt>Ended</dt>
                <dd>{date(run.ended_at)}</dd>
              </div>
            )}
            <div>
              <dt>By</dt>
              <dd>{startedBy(info)}</dd>
            </div>
          </dl>
          <Json value={info.output ?? null} label="Output" testId="run-output" />
          <Json value={info.parameters ?? {}} label="Parameters" testId="run-parameters" />
          {info.trigger_data && <Json value={info.trigger_data} label="Trigger" />}
        </div>
      )}
    </>
  );
}

function Selected({ name }) {
  const step = useGraph((s) => s.model.entries[name]?.step);
  const runId = usePanels((s) => s.info.run_id);
  const action = usePanels((s) => s.catalog.byAction?.[step?.action]);
  if (!step) return null;
  const Icon = iconOf(step.type, action?.icon);
  return (
    <>
      <header className="inspector-head" data-kind={step.type}>
        <div className="inspector-title">
          <span className="tile" aria-hidden>
            <Icon size={17} strokeWidth={1.9} />
          </span>
          <div className="grow">
            <div className="panel-name">{step.title || name}</div>
            <div className="name-row">
              {name} · {step.action ?? TYPE_TITLES[step.type]}
            </div>
          </div>
          <button type="button" className="button small" onClick={() => select([])} data-testid="back-to-steps">
            All steps
          </button>
        </div>
      </header>
      <div className="panel-pad">
        <StepPanel key={`${runId} ${name}`} runId={runId} name={name} />
      </div>
    </>
  );
}

function Side() {
  const selected = useGraph((s) => s.selected);
  const entries = useGraph((s) => s.entries);
  const isLoaded = useGraph((s) => s.loaded);
  const entry = selected.length === 0 && entries.length === 1 ? entries[0] : null;
  if (!isLoaded) return <aside className="inspector run-side" aria-busy="true" />;
  return (
    <aside className="inspector run-side" aria-label="What happened" data-testid="run-side">
      {selected.length === 1 && <Selected key={selected[0]} name={selected[0]} />}
      {entry && <OriginPanel key={entry} id={entry} />}
      {selected.length !== 1 && !entry && <Overview />}
    </aside>
  );
}

const Parts = memo(({ colorMode, documentKey }) => (
  <>
    <Bar />
    <div className="workspace" data-readonly="true">
      <div className="stage">
        <Canvas colorMode={colorMode} documentKey={documentKey} onOpen={null}>
          <ViewButtons hasProblems={false} />
        </Canvas>
        <Notice />
      </div>
      <Side />
    </div>
    <Dialogs />
  </>
));

/** Props from Python: `graph` ({key, run_id, document, layout, …}), `catalog`, `reply`, `colorMode`, and the handlers. */
export function RunView({ graph, catalog, reply, colorMode, onInspect, onControl, onEnd, onLeave }) {
  const key = graph?.key ?? null;
  const loaded = useRef(null);
  const atEnd = useRef(onEnd);
  atEnd.current = onEnd;
  attachHandlers({ inspect: onInspect, control: onControl });
  useEffect(() => {
    setCatalog(catalog);
  }, [catalog]);
  useEffect(() => {
    if (!key) return;
    if (loaded.current === key) return usePanels.setState((s) => ({ info: { ...s.info, output: graph.output } }));
    loaded.current = key;
    begin({ ...graph, read_only: true });
  }, [key, graph]);
  useEffect(() => {
    onReply(reply);
  }, [reply]);
  useEffect(() => {
    if (!graph?.run_id) return undefined;
    clear(graph.run_id);
    return connectFeed(graph.run_id, { onEnd: () => atEnd.current?.() });
  }, [graph?.run_id]);
  useEffect(() => {
    const stop = listen();
    return () => {
      stop();
      if (loaded.current) onLeave?.(loaded.current);
      clear();
      closeGraph();
    };
  }, []);
  return (
    <div className="studio" data-testid="run-view">
      <Parts colorMode={colorMode} documentKey={key} />
    </div>
  );
}
