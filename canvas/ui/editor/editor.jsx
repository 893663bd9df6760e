/** The editor page: hands Python's props to the stores and arranges the parts. */

import "./canvas.css";
import "./panels.css";
import "./forms.css";
import "./overlays.css";
import "./run.css";

import { memo, useEffect, useRef } from "react";

import { Canvas } from "./canvas.jsx";
import { FirstSteps, Notice, PanelTabs, ViewButtons } from "./controls.jsx";
import { Dialogs } from "./dialogs.jsx";
import { Inspector } from "./inspector.jsx";
import { listen } from "./keys.js";
import { clear } from "./live.js";
import { Palette } from "./palette.jsx";
import { Problems } from "./problems.jsx";
import { QuickAdd } from "./quickadd.jsx";
import { RunBar } from "./runbar.jsx";
import { startRun } from "./starting.js";
import { close as closeGraph, setCatalog, usePanels } from "./store.js";
import { attachHandlers, begin, isNews, onReply, watch } from "./sync.js";
import { Toolbar } from "./toolbar.jsx";

const NARROW = 760;

const Parts = memo(({ colorMode, documentKey }) => (
  <>
    <Toolbar />
    <div className="workspace">
      <Palette />
      <div className="stage">
        <Canvas colorMode={colorMode} documentKey={documentKey}>
          <ViewButtons />
        </Canvas>
        <FirstSteps />
        <PanelTabs />
        <RunBar />
        <Notice />
        <Problems />
      </div>
      <Inspector />
    </div>
    <QuickAdd />
    <Dialogs />
  </>
));

/** Whether the address asks for the run dialog, as links of other pages do. */
function wantsRun() {
  const url = new URL(window.location.href);
  if (!url.searchParams.has("run")) return false;
  url.searchParams.delete("run");
  window.history.replaceState(window.history.state, "", url);
  return true;
}

/**
 * Props from Python: `graph` ({key, document, layout, revision, read_only, problems, name, …}), `catalog`, `reply` (to the
 * last call), `colorMode`; and one event handler per call: `studio.py` says what it gets.
 */
export function Editor({ graph, catalog, reply, colorMode, ...handlers }) {
  const loaded = useRef(null);
  const leave = useRef(handlers.onLeave);
  const key = graph?.key ?? null;
  attachHandlers({
    edit: handlers.onEdit,
    arrange: handlers.onArrange,
    save: handlers.onSave,
    publish: handlers.onPublish,
    start: handlers.onStart,
    versions: handlers.onVersions,
    version: handlers.onVersion,
    read: handlers.onRead,
    export: handlers.onExport,
    reload: handlers.onReload,
    control: handlers.onControl,
    inspect: handlers.onInspect,
  });
  useEffect(() => {
    setCatalog(catalog);
  }, [catalog]);
  useEffect(() => {
    if (!key || loaded.current === key) return;
    if (loaded.current && !isNews(graph)) return;
    loaded.current = key;
    begin(graph);
    usePanels.setState({ inspector: window.innerWidth > NARROW });
    if (wantsRun()) startRun();
  }, [key, graph]);
  useEffect(() => {
    onReply(reply);
  }, [reply]);
  useEffect(() => {
    const stops = [listen(), watch()];
    return () => {
      for (const stop of stops) stop();
      if (loaded.current) leave.current?.(loaded.current);
      clear();
      closeGraph();
    };
  }, []);
  return (
    <div className="studio" data-testid="editor">
      <Parts colorMode={colorMode} documentKey={key} />
    </div>
  );
}
