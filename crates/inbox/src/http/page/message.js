"use strict";
// A message as its reader would have seen it.

function pairs(map, names = Object.keys(map ?? {})) {
  const list = element("dl");
  for (const name of names) {
    const value = map?.[name];
    if (value === undefined || value === null || value === "") continue;
    list.append(element("dt", { textContent: name }), element("dd", {}, ...readable.plain(String(value))));
  }
  return list.children.length ? list : null;
}

// A Slack attachment or a Discord embed.
function attachment(it, read) {
  const words = read(it.title ?? "");
  const title = it.title_link ? [anchor(it.title_link, element("span", {}, ...words).textContent)] : words;
  const fields = (Array.isArray(it.fields) ? it.fields : []).filter(Boolean);
  const box = element("div", { className: `attachment ${["good", "warning", "danger"].includes(it.color) ? it.color : ""}` },
    it.pretext && element("p", {}, ...read(it.pretext)),
    it.title && element("p", {}, element("strong", {}, ...title)),
    (it.text || (!it.title && it.fallback)) && element("p", {}, ...read((it.text || it.fallback).trim())),
    pairs(Object.fromEntries(fields.map((field) => [field.title ?? field.name, field.value]))));
  if (/^#[0-9a-f]{3,6}$/i.test(it.color)) box.style.borderLeftColor = it.color;
  return box;
}

const bodies = {
  webhook(body, alert) {
    const own = body.alerts.find((it) => it.fingerprint === alert.fingerprint) ?? body.alerts[0];
    const more = body.truncatedAlerts ? element("p", { textContent: `${body.truncatedAlerts} more alerts omitted` }) : null;
    return [pairs(own.annotations), pairs(own.labels), more];
  },
  email: (body) => [
    pairs({ Subject: body.subject, From: body.from, To: (body.to ?? []).join(", ") }),
    element("p", {}, ...readable.plain((body.text ?? body.html ?? "").trim())),
  ],
  pagerduty(body) {
    const payload = body.payload ?? {};
    const links = (Array.isArray(body.links) ? body.links : []).filter(Boolean).flatMap((it) => [anchor(it.href, it.text || it.href), " "]);
    return [element("p", {}, element("strong", { textContent: payload.summary ?? "" })), links.length ? element("p", {}, ...links) : null,
      pairs({ action: body.event_action, severity: payload.severity, source: payload.source, class: payload.class, component: payload.component, key: body.dedup_key }),
      pairs(payload.custom_details)];
  },
  heartbeat: (body) => [element("p", { textContent: body.text ?? "" })],
  slack: (body) => chat(body, readable.slack),
  discord: (body) => chat(body, readable.discord),
};

function chat(body, read) {
  const embeds = (body.embeds ?? []).map((it) => ({ title: it.title, title_link: it.url, text: it.description, fields: it.fields }));
  return [body.content && element("p", {}, ...read(body.content)), body.text && element("p", {}, ...read(body.text)),
    ...[...embeds, ...(body.attachments ?? [])].map((it) => attachment(it, read))];
}

// The message with its time, and its JSON, which is created when opened.
function message(notification, alert) {
  const json = element("details", {}, element("summary", { textContent: "JSON" }));
  json.addEventListener("toggle", () => {
    if (json.open && !json.querySelector("pre")) json.append(element("pre", { tabIndex: 0, textContent: JSON.stringify(notification.body, null, 2) }));
  });
  return element("div", { className: `message ${notification.status}` },
    element("h3", { textContent: `${clock(notification.received_at)} ${notification.status}` }),
    ...(bodies[notification.channel]?.(notification.body, alert) ?? []), json);
}

// The summary on a card, as nodes.
function summary(notification, alert) {
  const { channel, body } = notification;
  if (channel === "webhook") {
    const own = body.alerts.find((it) => it.fingerprint === alert.fingerprint);
    return [own?.annotations?.summary ?? own?.annotations?.description];
  }
  if (channel === "email") return [body.subject];
  if (channel === "pagerduty") return [body.payload?.summary];
  const first = body.attachments?.[0];
  const text = first ? first.text || first.pretext || first.fallback : body.text ?? body.content ?? body.embeds?.[0]?.description;
  const lines = (text ?? "").trim().split("\n");
  const part = lines.slice(0, 4).join("\n") + (lines.length > 4 ? "\n…" : "");
  return (readable[channel] ?? readable.plain)(part);
}

// The time of day, with the date unless it is today.
function clock(at) {
  const date = new Date(at);
  const day = date.toDateString() === new Date().toDateString() ? {} : { month: "short", day: "numeric" };
  return date.toLocaleString([], { ...day, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "m"], [seconds % 60, "s"]];
  return parts.filter(([count], at) => count || (at === 2 && seconds < 60)).map(([count, unit]) => count + unit).join(" ");
}
