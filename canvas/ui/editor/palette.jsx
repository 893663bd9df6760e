/** The list of what can be added, at the left: drag it onto the canvas, or press Enter to add it after the selection. */

import { ChevronDown, PanelLeftClose, Search } from "lucide-react";
import { memo, useMemo, useRef, useState } from "react";

import { add as addOffer } from "./edits.js";
import { iconOf } from "./icons.js";
import { found, grouped, offers } from "./offers.js";
import { useGraph, usePanels } from "./store.js";
import { reveal } from "./view.js";

export const DRAG_TYPE = "application/x-canvas-step";

function add(offer) {
  const { selected } = useGraph.getState();
  const place = selected.length === 1 ? { after: selected[0] } : { point: reveal.middle() };
  reveal.step(addOffer(offer.what, place));
}

const Item = memo(({ offer }) => {
  const Icon = iconOf(offer.type, offer.icon);
  const drag = (event) => {
    event.dataTransfer.setData(DRAG_TYPE, JSON.stringify(offer.what));
    event.dataTransfer.effectAllowed = "copy";
  };
  return (
    <button
      type="button"
      className="offer"
      draggable
      data-kind={offer.type}
      data-testid={`palette-${offer.key}`}
      title={offer.hint}
      onDragStart={drag}
      onDoubleClick={() => add(offer)}
      onKeyDown={(e) => e.key === "Enter" && (e.preventDefault(), add(offer))}
    >
      <span className="tile small" aria-hidden>
        <Icon size={14} strokeWidth={2} />
      </span>
      <span className="offer-title">{offer.title}</span>
    </button>
  );
});

function Group({ name, list, isForced }) {
  const [isOpen, setOpen] = useState(true);
  const shown = isOpen || isForced;
  return (
    <section aria-label={name}>
      <button type="button" className="group-title" aria-expanded={shown} onClick={() => setOpen(!isOpen)}>
        <ChevronDown size={12} className={shown ? "" : "turned"} aria-hidden />
        {name}
      </button>
      {shown && (
        <div className="group-list">
          {list.map((offer) => (
            <Item key={offer.key} offer={offer} />
          ))}
        </div>
      )}
    </section>
  );
}

/** Arrow keys walk through the list; Enter in the search field adds the first find. */
function walkList(event, box) {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const items = [...box.querySelectorAll("input, .offer")];
  const next = items[items.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) {
    event.preventDefault();
    next.focus();
  }
}

export const Palette = memo(() => {
  const catalog = usePanels((s) => s.catalog);
  const isOpen = usePanels((s) => s.palette);
  const readOnly = useGraph((s) => s.readOnly);
  const ownName = usePanels((s) => s.info.name);
  const [query, setQuery] = useState("");
  const box = useRef(null);
  const list = useMemo(() => found(offers(catalog, ownName), query), [catalog, ownName, query]);
  if (!isOpen || readOnly) return null;
  const onEnter = (event) => event.key === "Enter" && list.length && (add(list[0]), setQuery(""));
  return (
    <aside className="palette" aria-label="Steps to add" ref={box} onKeyDown={(e) => walkList(e, box.current)}>
      <div className="panel-head">
        <label className="search">
          <Search size={13} aria-hidden />
          <input
            value={query}
            onChange={(e) => setQuery(e.target.value)}
            onKeyDown={onEnter}
            placeholder="Search steps"
            aria-label="Search steps"
            data-testid="palette-search"
          />
        </label>
        <button
          type="button"
          className="icon-button"
          aria-label="Hide the steps"
          title="Hide the steps"
          onClick={() => usePanels.setState({ palette: false })}
        >
          <PanelLeftClose size={15} />
        </button>
      </div>
      <div className="palette-list">
        {grouped(list, query !== "").map(([name, items]) => (
          <Group key={name} name={name} list={items} isForced={query !== ""} />
        ))}
        {list.length === 0 && <p className="quiet">Nothing fits “{query}”.</p>}
      </div>
      <p className="palette-foot">
        Drag onto the canvas, or <kbd>Enter</kbd> to add after the selection
      </p>
    </aside>
  );
});
