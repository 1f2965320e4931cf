"use strict";
// Shows what arrived, one card per episode of an alert on a channel: firing beside resolved, newest first.
// Foreign text is only ever set as text, never as markup.

const POLL_MS = 2000;
const SHOWN = 200; // cards; older ones are in the JSON
const KEPT = 20; // messages of one card, the newest; a heartbeat would grow for ever
const episodes = new Map(); // key → episode
const openBySlackName = new Map(); // channel and name → key of the episode that is firing
let last = 0;
let counter = 0;
let lostAt = null;

const $ = (id) => document.getElementById(id);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

// A webhook names the episode by fingerprint and start; a Slack text only says which alert, so the next
// "resolved" belongs to the last "firing" of that name.
function keyOf(notification, alert) {
  if (alert.fingerprint) return `${notification.channel} ${alert.fingerprint} ${alert.starts_at}`;
  const name = `${notification.channel} ${alert.alert}`;
  if (!openBySlackName.has(name)) openBySlackName.set(name, `${name} ${++counter}`);
  const key = openBySlackName.get(name);
  if (alert.status === "resolved") openBySlackName.delete(name);
  return key;
}

function take(notification) {
  const alerts = notification.alerts.length ? notification.alerts : [{ alert: "", status: notification.status, labels: {} }];
  for (const alert of alerts) {
    const key = notification.alerts.length ? keyOf(notification, alert) : `message ${notification.id}`;
    const episode = episodes.get(key) ?? { key, channel: notification.channel, firing: { count: 0 }, resolved: { count: 0 }, messages: [], count: 0 };
    episodes.delete(key); // to the end: the newest
    episodes.set(key, episode);
    episode.alert = alert;
    episode.status = alert.status;
    if (alert.status === "firing" || alert.status === "resolved") {
      const told = episode[alert.status];
      told.first ??= notification.received_at;
      told.count += 1;
    }
    if (episode.messages.at(-1)?.id !== notification.id) {
      episode.messages.push(notification);
      episode.count += 1;
      if (episode.messages.length > KEPT) episode.messages.shift();
    }
    episode.stale = true;
  }
  while (episodes.size > SHOWN) {
    const oldest = episodes.values().next().value;
    oldest.card?.remove();
    episodes.delete(oldest.key);
  }
}

// The time of day, with the date unless it is today's.
function clock(at) {
  const date = new Date(at);
  const day = date.toDateString() === new Date().toDateString() ? {} : { month: "short", day: "numeric" };
  return date.toLocaleString([], { ...day, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

// Slack's *bold* and `code`, the two that templates use.
function formatted(text) {
  return text.split(/(\*[^*\n]+\*|`[^`\n]+`)/).map((part, at) => {
    if (at % 2 === 0) return part;
    return element(part[0] === "*" ? "strong" : "code", { textContent: part.slice(1, -1) });
  });
}

function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "m"], [seconds % 60, "s"]];
  return parts.filter(([count, unit], at) => count || (at === 2 && seconds < 60)).map(([count, unit]) => count + unit).join(" ");
}

function moment(kind, told, since) {
  if (!told.count) {
    return element("div", { className: "moment" }, element("b", { textContent: kind.toUpperCase() }), kind === "resolved" ? "not yet" : "not seen");
  }
  const at = told.first;
  const notes = [];
  if (since) notes.push(`after ${span(new Date(at) - new Date(since))}`);
  if (told.count > 1) notes.push(`told ${told.count} times`);
  return element("div", { className: `moment ${kind}` },
    element("b", { textContent: kind.toUpperCase() }),
    element("time", { dateTime: at, title: new Date(at).toLocaleString(), textContent: clock(at) }),
    notes.length ? element("small", { textContent: notes.join(", ") }) : null);
}

function pairs(map) {
  const list = element("dl");
  for (const [name, value] of Object.entries(map ?? {})) {
    list.append(element("dt", { textContent: name }), element("dd", { textContent: String(value) }));
  }
  return list.children.length ? list : null;
}

function attachment(it) {
  return [
    it.pretext && element("p", {}, ...formatted(it.pretext)),
    it.title && element("p", {}, element("strong", { textContent: it.title })),
    (it.text || (!it.title && it.fallback)) && element("p", {}, ...formatted(it.text || it.fallback)),
    pairs(Object.fromEntries((Array.isArray(it.fields) ? it.fields : []).filter(Boolean).map((field) => [field.title, field.value]))),
  ].filter(Boolean);
}

function content(notification, episode) {
  const body = notification.body;
  if (notification.channel === "webhook") {
    const own = body.alerts.find((alert) => alert.fingerprint === episode.alert.fingerprint) ?? body.alerts[0];
    return [pairs(own.annotations), pairs(own.labels)];
  }
  if (notification.channel === "email") {
    return [element("p", {}, element("strong", { textContent: body.subject })), element("p", { textContent: body.text ?? "" }),
      pairs({ from: body.from, to: (body.to ?? []).join(", ") })];
  }
  if (notification.channel === "pagerduty") {
    const payload = body.payload ?? {};
    return [element("p", {}, element("strong", { textContent: payload.summary ?? "" })), pairs(payload.custom_details),
      pairs({ action: body.event_action, severity: payload.severity, source: payload.source })];
  }
  const embeds = (body.embeds ?? []).map((it) => ({ title: it.title, text: it.description }));
  return [body.content && element("p", {}, ...formatted(body.content)), body.text && element("p", {}, ...formatted(body.text)),
    ...embeds.flatMap(attachment), ...(body.attachments ?? []).flatMap(attachment)];
}

function message(notification, episode) {
  const json = element("details", {}, element("summary", { textContent: "JSON" }));
  json.addEventListener("toggle", () => {
    if (json.open && !json.querySelector("pre")) json.append(element("pre", { tabIndex: 0, textContent: JSON.stringify(notification.body, null, 2) }));
  });
  return element("div", { className: `message ${notification.status}` },
    element("h3", { textContent: `${clock(notification.received_at)} ${notification.status}` }),
    ...content(notification, episode), json);
}

function saying(episode) {
  const body = episode.messages.at(-1).body;
  if (episode.channel === "webhook") {
    const own = body.alerts.find((alert) => alert.fingerprint === episode.alert.fingerprint);
    return own?.annotations?.summary ?? own?.annotations?.description;
  }
  if (episode.channel === "email") return body.subject;
  if (episode.channel === "pagerduty") return body.payload?.summary;
  const first = body.attachments?.[0];
  return first ? first.text || first.pretext || first.fallback : body.text ?? body.content ?? body.embeds?.[0]?.description;
}

function draw(episode) {
  const { alert } = episode;
  const opened = episode.card?.querySelector("details")?.open;
  const known = episode.status === "firing" || episode.status === "resolved";
  const severity = alert.labels?.severity;
  const labels = ["job", "instance"].map((name) => alert.labels?.[name]).filter(Boolean);
  const more = episode.count > episode.messages.length ? `, the newest ${episode.messages.length} below` : "";
  const heading = episode.count > 1 ? `${episode.count} messages${more}` : "message";
  const details = element("details", { open: Boolean(opened) }, element("summary", { textContent: heading }));
  const fill = () => {
    if (details.open && details.children.length === 1) details.append(...episode.messages.toReversed().map((it) => message(it, episode)));
  };
  details.addEventListener("toggle", fill);
  fill();
  const text = saying(episode);
  const card = element("li", { className: "episode" },
    element("div", { className: "top" },
      element("h2", { textContent: alert.alert || "A message" }),
      ...[episode.channel, severity, ...labels].filter(Boolean).map((it) => element("span", { className: "tag", textContent: it }))),
    text ? element("p", { className: "saying" }, ...(["slack", "discord"].includes(episode.channel) ? formatted(text) : [text])) : null,
    known
      ? element("div", { className: "course" }, moment("firing", episode.firing), moment("resolved", episode.resolved, episode.firing.first))
      : element("div", { className: "course" }, element("div", { className: "moment" }, element("time", { textContent: clock(episode.messages[0].received_at) }))),
    details);
  const focused = episode.card?.contains(document.activeElement);
  episode.card?.remove();
  episode.card = card;
  episode.stale = false;
  $("episodes").prepend(card);
  if (focused) details.firstChild.focus(); // a keyboard keeps its place
}

function show() {
  for (const episode of episodes.values()) if (episode.stale) draw(episode);
  const all = [...episodes.values()];
  const count = (status) => all.filter((it) => it.status === status).length;
  $("totals").textContent = all.length ? `${count("firing")} firing, ${count("resolved")} resolved` : "";
  document.title = count("firing") ? `(${count("firing")}) Inbox` : "Inbox";
  $("empty").hidden = all.length > 0;
}

function forget() {
  for (const episode of episodes.values()) episode.card?.remove();
  episodes.clear();
  openBySlackName.clear();
  last = 0;
}

function state(text, kind) {
  const link = $("link");
  if (link.textContent !== text) link.textContent = text;
  link.className = kind;
}

// The heartbeat is said in words: a colour alone would not be heard.
async function pulse() {
  const answer = await fetch("heartbeat", { signal: AbortSignal.timeout(5000), cache: "no-store" });
  const beats = await answer.json();
  const place = $("heartbeat");
  const said = { unknown: "no heartbeat yet", beating: "heartbeat", stopped: `heartbeat stopped, last at ${beats.last ? clock(beats.last) : "?"}` }[beats.state];
  if (place.textContent !== said) place.textContent = said;
  place.className = beats.state;
}

async function poll() {
  try {
    const answer = await fetch(`notifications?after=${last}&limit=1000`, { signal: AbortSignal.timeout(5000), cache: "no-store" });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const listing = await answer.json();
    if (listing.last < last) {
      forget(); // the inbox began anew
      return setTimeout(poll, 0);
    }
    for (const notification of listing.notifications) {
      try {
        take(notification);
      } finally {
        last = Math.max(last, notification.id);
      }
    }
    await pulse();
    show();
    lostAt = null;
    state("live", "live");
  } catch (error) {
    lostAt ??= Date.now();
    state(`no connection since ${clock(lostAt)}, trying again`, "lost");
  }
  setTimeout(poll, POLL_MS);
}

poll();
