"use strict";
// Formats foreign text as its client would: links, bold, code. The result is text nodes and elements, never raw markup.

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

// A link for web addresses, else plain text.
function anchor(address, text = address) {
  const web = URL.canParse(address) && ["http:", "https:"].includes(new URL(address).protocol);
  return web ? element("a", { href: address, textContent: text, target: "_blank", rel: "noreferrer" }) : text;
}

// Splits text at each match of a pattern and creates nodes for both kinds of parts.
function cut(text, pattern, match, rest = (part) => [part]) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(pattern)) {
    nodes.push(...rest(text.slice(at, found.index)), match(found));
    at = found.index + found[0].length;
  }
  return [...nodes, ...rest(text.slice(at))];
}

const readable = {
  // Slack's mrkdwn (docs.slack.dev/messaging/formatting-message-text), as far as templates use it
  slack(text) {
    const plain = (part) => part.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
    return cut(text, /<(https?:[^>|\n]+)(?:\|([^>\n]*))?>|\*([^*\n]+)\*|`([^`\n]+)`/g, ([, address, label, bold, code]) => {
      if (address) return anchor(plain(address), plain(label || address));
      return element(bold ? "strong" : "code", { textContent: plain(bold ?? code) });
    }, (part) => [plain(part)]);
  },
  // the same subset of Discord's Markdown
  discord(text) {
    const plain = (part) => part.replace(/\\([^\w\s])/g, "$1");
    return cut(text, /\\[^\w\s]|\[((?:\\.|[^\]\\\n])*)\]\((https?:[^)\s]+)\)|\*\*((?:\\.|[^\\\n])+?)\*\*|`([^`\n]+)`/g, ([whole, label, address, bold, code]) => {
      if (address) return anchor(address, plain(label));
      if (bold) return element("strong", { textContent: plain(bold) });
      return code ? element("code", { textContent: code }) : plain(whole);
    });
  },
  plain: (text) => cut(text, /\bhttps?:\/\/[^\s<>"]+[^\s<>".,;:!?)]/g, ([address]) => anchor(address)),
};
