// One stream of events per page: closed while the page is hidden, opened again when it is shown,
// because browsers allow six connections to a host over all tabs.

/** Calls `onEvent(name, data)` for each event of `url`. Returns a function that ends it. */
export function follow(url, onEvent, names) {
  let source = null;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(url);
    for (const name of names) {
      source.addEventListener(name, (event) => onEvent(name, JSON.parse(event.data)));
    }
    // The browser reconnects by itself, but gives up for good on an answer other than 200.
    source.onerror = () => {
      if (source?.readyState === EventSource.CLOSED) refused();
    };
  };
  // Refused: nobody is logged in any more, and reloading leads to the login; or try again later.
  const refused = async () => {
    close();
    const answer = await fetch("/api/v1/session").catch(() => null);
    if (answer?.status === 401) location.reload();
    else if (!ended) setTimeout(open, 3000);
  };
  let ended = false;
  const close = () => {
    source?.close();
    source = null;
  };
  const change = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", change);
  addEventListener("pagehide", close);
  addEventListener("pageshow", change);
  open();
  return () => {
    ended = true;
    close();
    document.removeEventListener("visibilitychange", change);
  };
}

/** Says how long ago a time was, in the words that the server uses too. */
export function ago(date) {
  const seconds = Math.max(0, (Date.now() - date) / 1000);
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/** Says how long something has lasted. */
export function elapsed(date) {
  const seconds = Math.max(0, Math.floor((Date.now() - date) / 1000));
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Keeps every relative time of the page right. */
export function keepTimes() {
  setInterval(() => {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("time[data-ago]")) {
      time.textContent = ago(new Date(time.dateTime));
    }
    for (const time of document.querySelectorAll("[data-elapsed]")) {
      time.textContent = elapsed(new Date(time.dataset.since));
    }
  }, 1000);
}

/** Posts a form as the page's script; resolves to null, or to the sentence that says what is wrong. */
export async function act(workspace, kind) {
  const answer = await fetch(`/api/v1/workspaces/${workspace}/${kind}`, {
    method: "POST",
    headers: { Accept: "application/json" },
  });
  if (answer.ok) return null;
  if (answer.status === 401) {
    location.reload();
    return null;
  }
  const body = await answer.json().catch(() => null);
  return body?.error?.message ?? "That did not work. Try again.";
}
