/** Type to add a step: where a connection was let go, into a connection, or after the selection. */

import { Search } from "lucide-react";
import { memo, useEffect, useMemo, useRef, useState } from "react";

import { add } from "./edits.js";
import { iconOf } from "./icons.js";
import { found, offers } from "./offers.js";
import { useGraph, usePanels } from "./store.js";
import { START } from "./triggers.js";
import { reveal } from "./view.js";

const WIDTH = 300;
const HEIGHT = 340;

const close = () => {
  usePanels.setState({ quickAdd: null });
  reveal.focus();
};

/** Opens it for whatever is selected, else at a point of the window or in the middle. */
export function openQuickAdd(pointer) {
  const { selected, selectedEdges, entries, readOnly } = useGraph.getState();
  if (readOnly) return;
  const r = reveal.rect();
  const middle = { x: r.left + r.width / 2 - WIDTH / 2, y: r.top + r.height / 3 };
  if (selected.length === 1) {
    const at = reveal.screen(selected[0]);
    usePanels.setState({ quickAdd: { x: at.x + 240, y: at.y, after: selected[0] } });
  } else if (selectedEdges.length === 1) {
    usePanels.setState({ quickAdd: { ...middle, edge: selectedEdges[0] } });
  } else if (entries.length) {
    const at = reveal.screen(START);
    const point = reveal.point(at.x, at.y);
    usePanels.setState({ quickAdd: { x: at.x + 130, y: at.y, point: [point[0] + 306, point[1] + 22] } });
  } else {
    const at = pointer ?? middle;
    usePanels.setState({ quickAdd: { ...at, point: reveal.point(at.x, at.y) } });
  }
}

function choose(offer, place) {
  close();
  reveal.step(add(offer.what, place));
}

function List({ list, active, place }) {
  const row = useRef(null);
  useEffect(() => {
    row.current?.scrollIntoView({ block: "nearest" });
  }, [active]);
  return (
    <div className="quick-list" role="listbox" aria-label="Steps" id="quick-list">
      {list.map((offer, index) => {
        const Icon = iconOf(offer.type, offer.icon);
        return (
          <button
            type="button"
            role="option"
            key={offer.key}
            id={`quick-${index}`}
            ref={index === active ? row : null}
            aria-selected={index === active}
            className="quick-row"
            data-kind={offer.type}
            data-testid={`quick-${offer.key}`}
            onClick={() => choose(offer, place)}
          >
            <span className="tile small" aria-hidden>
              <Icon size={14} strokeWidth={2} />
            </span>
            <span className="quick-title">{offer.title}</span>
            <span className="quick-group">{offer.group}</span>
          </button>
        );
      })}
      {list.length === 0 && <p className="quiet">Nothing fits.</p>}
    </div>
  );
}

export const QuickAdd = memo(() => {
  const at = usePanels((s) => s.quickAdd);
  return at ? <Box key={`${at.x},${at.y}`} place={at} /> : null;
});

function Box({ place }) {
  const catalog = usePanels((s) => s.catalog);
  const ownName = usePanels((s) => s.info.name);
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const isBetween = Boolean(place.after ?? place.edge);
  const list = useMemo(
    () => found(offers(catalog, ownName, !isBetween), query),
    [catalog, ownName, query, isBetween],
  );
  const left = Math.max(8, Math.min(place.x, window.innerWidth - WIDTH - 8));
  const top = Math.max(8, Math.min(place.y, window.innerHeight - HEIGHT - 8));
  const onKey = (event) => {
    event.stopPropagation();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setActive((active + step + list.length) % Math.max(1, list.length));
    if (event.key === "Enter" && list[active]) choose(list[active], place);
    if (event.key === "Escape") close();
    if (step || ["Enter", "Escape", "Tab"].includes(event.key)) event.preventDefault();
  };
  const type = (event) => {
    setQuery(event.target.value);
    setActive(0);
  };
  return (
    <>
      <div className="quick-shade" onPointerDown={close} />
      <div
        className="quick"
        style={{ left, top, width: WIDTH }}
        role="dialog"
        aria-label="Add a step"
        data-testid="quick-add"
      >
        <label className="search">
          <Search size={14} aria-hidden />
          <input
            autoFocus
            value={query}
            onChange={type}
            onKeyDown={onKey}
            placeholder={place.after ? `Add after ${place.after}` : "Add a step"}
            aria-label="Search steps"
            role="combobox"
            aria-expanded
            aria-controls="quick-list"
            aria-activedescendant={`quick-${active}`}
            data-testid="quick-search"
          />
        </label>
        <List list={list} active={active} place={place} />
      </div>
    </>
  );
}
