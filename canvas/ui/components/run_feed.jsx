// Tells a page that runs have changed. All feeds of a page share one web socket, which connects again by itself.
import { useEffect, useRef } from "react";

const MAX_PAUSE = 10_000;
const listeners = new Set();
let socket = null;
let failures = 0;
let retry = null;

function open() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/api/ws/runs`);
  let isFirst = failures === 0;
  socket.onopen = () => {
    failures = 0;
    if (!isFirst) tell([]); // whatever was missed meanwhile
  };
  socket.onmessage = (message) => tell(JSON.parse(message.data).runs);
  socket.onclose = () => {
    socket = null;
    if (listeners.size === 0) return;
    failures += 1;
    retry = setTimeout(open, Math.min(250 * 2 ** failures, MAX_PAUSE));
  };
}

function close() {
  clearTimeout(retry);
  failures = 0;
  if (socket !== null) {
    socket.onclose = null;
    socket.close();
    socket = null;
  }
}

const tell = (runs) => listeners.forEach((listener) => listener(runs));

/** Renders nothing; calls `onChange` at most once in `pause` milliseconds, and not while the tab is hidden. */
export function RunFeed({ onChange, pause = 500 }) {
  const latest = useRef(onChange);
  latest.current = onChange;

  useEffect(() => {
    let timer = null;
    let isDue = false;
    let restsUntil = 0;

    const fire = () => {
      timer = null;
      if (document.hidden) return;
      isDue = false;
      restsUntil = Date.now() + pause;
      latest.current?.();
    };
    const schedule = () => {
      isDue = true;
      timer ??= setTimeout(fire, Math.max(restsUntil - Date.now(), 0));
    };
    const onVisible = () => isDue && schedule();

    listeners.add(schedule);
    document.addEventListener("visibilitychange", onVisible);
    if (socket === null && listeners.size === 1) open();
    return () => {
      listeners.delete(schedule);
      document.removeEventListener("visibilitychange", onVisible);
      clearTimeout(timer);
      if (listeners.size === 0) close();
    };
  }, [pause]);

  return null;
}
