// Follows what happens: fetches the page again and puts its content in place when it has changed.
// What has the focus and what is unfolded stays so. A hidden page waits.
"use strict";

const EVERY_MS = 2000;

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  const shown = document.querySelector("main");
  if (!fresh) return;
  const unfolded = [...shown.querySelectorAll("details[open][id]")].map((details) => details.id);
  for (const id of unfolded) fresh.querySelector("#" + CSS.escape(id))?.setAttribute("open", "");
  if (fresh.innerHTML === shown.innerHTML) return;
  const focused = shown.contains(document.activeElement) && document.activeElement.getAttribute("href");
  shown.replaceChildren(...fresh.childNodes);
  if (focused) shown.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

async function follow() {
  try {
    await refresh();
  } catch {
    // The local system is stopping or starting: try again at the next turn.
  }
  setTimeout(follow, EVERY_MS);
}

setTimeout(follow, EVERY_MS);
