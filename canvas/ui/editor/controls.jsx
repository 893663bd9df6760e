/** What floats on the canvas: zoom and tidy buttons, notices, first steps, the run that is being watched. */

import { CirclePlus, LayoutGrid, Maximize, Minus, PanelLeftOpen, PanelRightOpen, Plus } from "lucide-react";
import { memo } from "react";

import { useNotice } from "./announce.js";
import { allowDrop, onDrop } from "./dropping.js";
import { tidy } from "./keys.js";
import { ProblemCount } from "./problems.jsx";
import { openQuickAdd } from "./quickadd.jsx";
import { useGraph, usePanels } from "./store.js";
import { useIsEmpty } from "./triggernodes.jsx";
import { reveal } from "./view.js";

const Button = ({ label, onClick, testId, children }) => (
  <button type="button" className="icon-button" aria-label={label} title={label} onClick={onClick} data-testid={testId}>
    {children}
  </button>
);

export const ViewButtons = memo(({ hasProblems = true }) => {
  const readOnly = useGraph((s) => s.readOnly);
  return (
    <div className="view-buttons nopan">
      <Button label="Zoom in (+)" onClick={reveal.zoomIn}>
        <Plus size={15} />
      </Button>
      <Button label="Zoom out (−)" onClick={reveal.zoomOut}>
        <Minus size={15} />
      </Button>
      <Button label="Fit everything (F)" onClick={() => reveal.fit()} testId="fit">
        <Maximize size={14} />
      </Button>
      {!readOnly && (
        <Button label="Tidy up (Shift L)" onClick={tidy} testId="tidy">
          <LayoutGrid size={14} />
        </Button>
      )}
      {!readOnly && (
        <span className="narrow">
          <Button label="Add a step (A)" onClick={() => openQuickAdd()} testId="add-step">
            <CirclePlus size={15} />
          </Button>
        </span>
      )}
      {hasProblems && <ProblemCount />}
    </div>
  );
});

export const PanelTabs = memo(() => {
  const { palette, inspector } = usePanels();
  const readOnly = useGraph((s) => s.readOnly);
  return (
    <>
      {!palette && !readOnly && (
        <button
          type="button"
          className="panel-tab left"
          aria-label="Show the steps"
          title="Show the steps (P)"
          onClick={() => usePanels.setState({ palette: true })}
        >
          <PanelLeftOpen size={15} />
        </button>
      )}
      {!inspector && (
        <button
          type="button"
          className="panel-tab right"
          aria-label="Show the form"
          title="Show the form (I)"
          onClick={() => usePanels.setState({ inspector: true })}
        >
          <PanelRightOpen size={15} />
        </button>
      )}
    </>
  );
});

export const Notice = memo(() => {
  const { text, kind } = useNotice();
  return (
    <div className={`notice ${text ? "shown" : ""} ${kind}`} role="status" aria-live="polite" data-testid="notice">
      {text}
    </div>
  );
});

/** What an empty canvas says. */
export const FirstSteps = memo(() => {
  const isEmpty = useIsEmpty();
  const readOnly = useGraph((s) => s.readOnly);
  if (!isEmpty) return null;
  if (readOnly)
    return (
      <div className="first">
        <p>This workflow has no steps.</p>
      </div>
    );
  return (
    <div className="first" data-testid="first-steps" onDragOver={allowDrop} onDrop={onDrop}>
      <h2>What should happen first?</h2>
      <p>
        Drag a step from the left, or press <kbd>A</kbd> and type.
      </p>
      <button type="button" className="button primary" onClick={() => openQuickAdd()} data-testid="first-add">
        <Plus size={14} aria-hidden /> Add the first step
      </button>
      <ol>
        <li>Pull a line from the dot at a step's right side to the step that follows.</li>
        <li>
          Fill in the form at the right; <kbd>{"{{"}</kbd> offers what earlier steps gave.
        </li>
        <li>
          <kbd>Ctrl</kbd> <kbd>Enter</kbd> runs it, and you watch it here.
        </li>
      </ol>
    </div>
  );
});
