"use strict";
// Shows what Alertmanager holds now. The inbox reads it; this page loads it from the inbox every two seconds.

const POLL_MS = 2000;
const MOST = 500; // rows drawn; a page with more is of no use
const $ = (id) => document.getElementById(id);
const clock = () => new Date().toLocaleTimeString();

function table(heads, rows, none) {
  if (!rows.length) return element("p", { className: "none", textContent: none });
  const cell = (tag) => (content) => element(tag, {}, ...[content].flat());
  const shown = rows.slice(0, MOST).map((row) => element("tr", {}, ...row.map(cell("td"))));
  const more = rows.length > MOST ? element("p", { textContent: `${rows.length - MOST} more` }) : null;
  return element("div", { className: "wide" },
    element("table", {}, element("thead", {}, element("tr", {}, ...heads.map(cell("th")))), element("tbody", {}, ...shown)), more);
}

function tags(labels) {
  return Object.entries(labels).filter(([name]) => !["alertname", "severity"].includes(name))
    .map(([name, value]) => element("span", { className: "tag", textContent: `${name}=${value}` }));
}

function why(alert) {
  if (alert.silenced) return "silenced";
  return alert.inhibited ? "inhibited" : alert.state;
}

function alerts(all) {
  const order = { critical: 0, warning: 1 };
  const rank = (alert) => order[alert.labels.severity] ?? 2;
  const sorted = all.toSorted((a, b) => rank(a) - rank(b) || (a.labels.alertname ?? "").localeCompare(b.labels.alertname ?? ""));
  const rows = sorted.map((alert) => [
    element("strong", { textContent: alert.labels.alertname ?? "?" }), alert.labels.severity ?? "", why(alert), alert.receivers.join(", "), tags(alert.labels),
  ]);
  return table(["alert", "severity", "state", "receivers", "labels"], rows, "No alert is active.");
}

function silences(all) {
  return table(["matchers", "comment", "id"], all.map((it) => [it.matchers.join(", "), it.comment, it.id]), "Nothing is silenced.");
}

// A route with those below it. A child without a value takes the parent's.
function route(node, receivers, above = {}) {
  const own = { ...above, ...node };
  const old = [...Object.entries(node.match ?? {}).map(([name, value]) => `${name}="${value}"`), ...Object.entries(node.match_re ?? {}).map(([name, value]) => `${name}=~"${value}"`)];
  const matchers = [...(node.matchers ?? []), ...old];
  const kinds = receivers[own.receiver] ?? [];
  const times = [["group_wait", "waits"], ["group_interval", "then every"], ["repeat_interval", "repeats after"]]
    .filter(([key]) => own[key]).map(([key, word]) => `${word} ${own[key]}`);
  const inherited = { receiver: own.receiver, group_wait: own.group_wait, group_interval: own.group_interval, repeat_interval: own.repeat_interval };
  return element("li", {},
    matchers.length ? element("code", { textContent: matchers.join(", ") }) : "everything else", " → ",
    element("strong", { textContent: own.receiver ?? "?" }), kinds.length ? ` (${kinds.join(", ")})` : "",
    element("small", { textContent: ` ${times.join(", ")}${node.continue ? ", continues" : ""}` }),
    node.routes?.length ? element("ul", {}, ...node.routes.map((child) => route(child, receivers, inherited))) : null);
}

async function poll() {
  const link = $("link");
  try {
    const response = await fetch("status/data", { signal: AbortSignal.timeout(15000), cache: "no-store" });
    if (!response.ok) throw new Error(await response.text());
    const data = await response.json();
    $("why").hidden = true;
    $("alerts").replaceChildren(alerts(data.alerts));
    $("silences").replaceChildren(silences(data.silences));
    $("routes").replaceChildren(data.route ? element("ul", { className: "routes" }, route(data.route, data.receivers)) : "");
    link.textContent = `live, ${clock()}`;
    link.className = "live";
  } catch (error) {
    $("why").hidden = false;
    $("why").textContent = error.message;
    link.textContent = "no data, retrying";
    link.className = "lost";
  }
  setTimeout(poll, POLL_MS);
}

poll();
