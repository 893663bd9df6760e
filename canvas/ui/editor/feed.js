/** The live feed of one run: a socket that comes back by itself, whose frames are applied once per animation frame. */

import { apply, useLive } from "./live.js";

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 5000;
const NO_MORE = 4404;

export function connectFeed(runId, { onEnd } = {}) {
  let socket = null;
  let pause = FIRST_PAUSE;
  let timer = 0;
  let queue = [];
  let drawing = 0;
  let isClosed = false;
  let lastSeq = 0;

  const flush = () => {
    drawing = 0;
    const frames = queue;
    queue = [];
    const wasOver = isOver();
    apply(frames);
    if (!wasOver && isOver()) onEnd?.();
  };

  const isOver = () => Boolean(useLive.getState().run?.ended_at);

  const receive = (event) => {
    const frame = JSON.parse(event.data);
    lastSeq = Math.max(lastSeq, frame.seq ?? 0);
    queue.push(frame);
    drawing ||= document.hidden ? setTimeout(flush, 100) : requestAnimationFrame(flush);
  };

  const open = () => {
    const scheme = window.location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(
      `${scheme}://${window.location.host}/api/ws/runs/${encodeURIComponent(runId)}?after=${lastSeq}`,
    );
    socket.onopen = () => {
      pause = FIRST_PAUSE;
      useLive.setState({ isConnected: true });
    };
    socket.onmessage = receive;
    socket.onclose = ({ code }) => {
      useLive.setState({ isConnected: false });
      if (isClosed || code === NO_MORE) return;
      timer = setTimeout(open, pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    };
  };

  open();
  return () => {
    isClosed = true;
    clearTimeout(timer);
    socket?.close();
  };
}
