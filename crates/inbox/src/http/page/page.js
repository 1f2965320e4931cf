"use strict";
// Shows the notifications as cards, newest first: one card per episode of an alert on a channel, with firing and resolved.
// The page loads a window of the newest notifications and draws the newest cards of it; "Show older" widens both.

const POLL_MS = 1000;
const PAGE = 500; // notifications fetched at once
const CARDS = 100; // cards drawn, for each page
const KEPT = 20; // newest messages kept per card, as a heartbeat episode never ends
const episodes = new Map(); // key → episode, ordered by last change
const openByName = new Map(); // channel and name → key of the firing episode
let held = []; // notifications, oldest first
let pages = 1;
let first = 0; // the oldest ID in the inbox
let last = 0;
let counter = 0;
let lostAt = null;

const $ = (id) => document.getElementById(id);

// Webhooks identify the episode by fingerprint and start. A text has only the alert name, so a "resolved" belongs to the
// last "firing" of that name.
function keyOf(notification, alert) {
  if (alert.fingerprint) return `${notification.channel} ${alert.fingerprint} ${alert.starts_at}`;
  const name = `${notification.channel} ${alert.alert}`;
  if (!openByName.has(name)) openByName.set(name, `${name} ${++counter}`);
  const key = openByName.get(name);
  if (alert.status === "resolved") openByName.delete(name);
  return key;
}

function take(notification) {
  const alerts = notification.alerts.length ? notification.alerts : [{ alert: "", status: notification.status, labels: {} }];
  for (const alert of alerts) {
    const key = notification.alerts.length ? keyOf(notification, alert) : `message ${notification.id}`;
    const episode = episodes.get(key) ?? { channel: notification.channel, firing: { count: 0 }, resolved: { count: 0 }, messages: [], count: 0 };
    episodes.delete(key);
    episodes.set(key, episode);
    episode.key = key;
    episode.alert = alert;
    episode.status = alert.status;
    if (alert.status === "firing" || alert.status === "resolved") {
      const received = episode[alert.status];
      received.first ??= notification.received_at;
      received.count += 1;
    }
    if (episode.messages.at(-1)?.id !== notification.id) {
      episode.messages.push(notification);
      episode.count += 1;
      if (episode.messages.length > KEPT) episode.messages.shift();
    }
    episode.stale = true;
  }
}

// Removes what has left the window.
function trim() {
  held = held.slice(-PAGE * pages);
  for (const episode of episodes.values()) {
    if (!held.length || episode.messages.at(-1).id >= held[0].id) break;
    episode.card?.remove();
    episodes.delete(episode.key);
  }
}

function moment(kind, received, since) {
  if (!received.count) {
    return element("div", { className: "moment" }, element("b", { textContent: kind.toUpperCase() }), kind === "resolved" ? "not yet" : "not received");
  }
  const at = received.first;
  const notes = [];
  if (since) notes.push(`after ${span(new Date(at) - new Date(since))}`);
  if (received.count > 1) notes.push(`received ${received.count} times`);
  return element("div", { className: `moment ${kind}` },
    element("b", { textContent: kind.toUpperCase() }),
    element("time", { dateTime: at, title: new Date(at).toLocaleString(), textContent: clock(at) }),
    notes.length ? element("small", { textContent: notes.join(", ") }) : null);
}

function draw(episode) {
  const { alert } = episode;
  const opened = episode.card?.querySelector("details")?.open;
  const known = episode.status === "firing" || episode.status === "resolved";
  const tags = [episode.channel, ...["severity", "job", "instance"].map((name) => alert.labels?.[name])].filter(Boolean);
  const more = episode.count > episode.messages.length ? `, the newest ${episode.messages.length} below` : "";
  const heading = episode.count > 1 ? `${episode.count} messages${more}` : "message";
  const details = element("details", { open: Boolean(opened) }, element("summary", { textContent: heading }));
  const fill = () => {
    if (details.open && details.children.length === 1) details.append(...episode.messages.toReversed().map((it) => message(it, alert)));
  };
  details.addEventListener("toggle", fill);
  fill();
  const text = summary(episode.messages.at(-1), alert).filter(Boolean);
  const card = element("li", { className: "episode" },
    element("div", { className: "top" },
      element("h2", { textContent: alert.alert || "A message" }),
      ...tags.map((it) => element("span", { className: "tag", textContent: it }))),
    text.length ? element("p", { className: "summary" }, ...text) : null,
    known
      ? element("div", { className: "phases" }, moment("firing", episode.firing), moment("resolved", episode.resolved, episode.firing.first))
      : element("div", { className: "phases" }, element("div", { className: "moment" }, element("time", { textContent: clock(episode.messages[0].received_at) }))),
    details);
  const focused = episode.card?.contains(document.activeElement);
  episode.card?.remove();
  episode.card = card;
  episode.stale = false;
  $("episodes").prepend(card);
  if (focused) details.firstChild.focus(); // keeps the keyboard focus
}

function matches(episode) {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const { alert } = episode;
  const hay = [alert.alert, episode.channel, episode.status, ...Object.values(alert.labels ?? {})].join(" ").toLowerCase();
  return words.every((word) => hay.includes(word));
}

function show() {
  const all = [...episodes.values()];
  const found = all.filter(matches);
  const drawn = new Set(found.slice(-CARDS * pages));
  for (const episode of all) {
    if (drawn.has(episode)) continue;
    episode.card?.remove();
    episode.card = null;
    episode.stale = true;
  }
  for (const episode of drawn) if (episode.stale) draw(episode);
  const count = (status) => found.filter((it) => it.status === status).length;
  $("totals").textContent = all.length ? `${count("firing")} firing, ${count("resolved")} resolved` : "";
  document.title = count("firing") ? `(${count("firing")}) Inbox` : "Inbox";
  $("empty").hidden = all.length > 0;
  $("none").hidden = !all.length || found.length > 0;
  const older = held.length > 0 && held[0].id > first;
  const rest = found.length > drawn.size;
  $("older").hidden = !older && !rest;
  $("range").textContent = older || rest
    ? `${drawn.size} cards, from the newest ${held.length.toLocaleString("en")} of ${(last - first + 1).toLocaleString("en")} notifications.` : "";
}

// Redraws every card.
function redraw() {
  for (const episode of episodes.values()) {
    episode.card?.remove();
    episode.stale = true;
  }
  show();
}

function forget() {
  for (const episode of episodes.values()) episode.card?.remove();
  episodes.clear();
  openByName.clear();
  counter = 0;
}

async function listing(query) {
  const response = await fetch(`notifications?limit=${PAGE}&${query}`, { signal: AbortSignal.timeout(5000), cache: "no-store" });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

async function older() {
  $("older").disabled = true;
  pages += 1; // before the response, so that nothing leaves the window meanwhile
  try {
    const earlier = held.length && held[0].id > first ? (await listing(`before=${held[0].id}`)).notifications : [];
    held = [...earlier, ...held];
    forget(); // "resolved" and "firing" can only be matched from the start
    held.forEach(take);
    show();
  } catch {
    pages -= 1;
    lost();
  }
  $("older").disabled = false;
}

function state(text, kind) {
  const link = $("link");
  if (link.textContent !== text) link.textContent = text;
  link.className = kind;
}

function lost() {
  lostAt ??= Date.now();
  state(`no connection since ${clock(lostAt)}, retrying`, "lost");
}

// The heartbeat is shown as text, as screen readers do not announce a colour.
async function pulse() {
  const response = await fetch("heartbeat", { signal: AbortSignal.timeout(5000), cache: "no-store" });
  const heartbeat = await response.json();
  const place = $("heartbeat");
  const text = { unknown: "no heartbeat yet", beating: "heartbeat", stopped: `heartbeat stopped, last at ${heartbeat.last ? clock(heartbeat.last) : "?"}` }[heartbeat.state];
  if (place.textContent !== text) place.textContent = text;
  place.className = heartbeat.state;
}

async function poll() {
  try {
    const news = await listing(`after=${last}`);
    if (news.last < last) {
      forget(); // the inbox was reset
      held = [];
      last = 0;
      return setTimeout(poll, 0);
    }
    for (const notification of news.notifications) {
      try {
        take(notification);
        held.push(notification);
      } finally {
        last = Math.max(last, notification.id);
      }
    }
    first = news.first;
    trim();
    await pulse();
    show();
    lostAt = null;
    state("live", "live");
  } catch {
    lost();
  }
  setTimeout(poll, POLL_MS);
}

// j and k move between cards, / focuses the filter, Escape leaves it.
function key(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const filter = $("filter");
  if (event.target === filter) {
    if (event.key !== "Escape") return;
    filter.value = "";
    filter.blur();
    return redraw();
  }
  if (event.key === "/") {
    event.preventDefault();
    return filter.focus();
  }
  const step = { j: 1, k: -1 }[event.key];
  if (!step) return;
  const cards = [...$("episodes").children];
  const at = cards.findIndex((card) => card.contains(document.activeElement));
  const next = cards[at < 0 ? 0 : Math.min(Math.max(at + step, 0), cards.length - 1)];
  next?.querySelector("summary").focus();
}

$("older").addEventListener("click", older);
$("filter").addEventListener("input", redraw);
document.addEventListener("keydown", key);
poll();
