"use strict";
(() => {
  const byId = (id) => document.getElementById(id);

  // Theme: follows the system unless someone chose one.
  const themes = ["auto", "light", "dark"];
  const button = byId("theme");
  const stored = () => { try { return localStorage.getItem("furytune-theme"); } catch { return null; } };
  const wear = (theme) => {
    if (theme === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", theme);
    button.lastElementChild.textContent = theme;
  };
  let theme = themes.includes(stored()) ? stored() : "auto";
  wear(theme);
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    wear(theme);
    try { localStorage.setItem("furytune-theme", theme); } catch { /* a file may not store anything */ }
  });

  const block = byId("data");
  if (!block) return;
  const { kinds, strings, rows, channels } = JSON.parse(block.textContent);
  if (!rows.length) return;
  const lower = strings.map((text) => text.toLowerCase());

  const METHODS = { thread: "its own thread", reply: "a reply", link: "the flow of talk", given: "given as a pair",
    confirmed: "the word of a person who confirmed the bot's answer", corrected: "a person's correction of the bot's answer",
    proposed: "a member's correction of the bot's answer" };
  const EVIDENCE = {
    thread: "has its own thread", native_reply: "answered by a reply", addressed: "the answer names the asker",
    linked: "linked by the model", solution_mark: "marked as the solution", solved_tag: "tagged as solved",
    works_now: "the asker said it works", thanked: "the asker thanked", self_answer: "the asker found it",
    clarified: "the asker added details", reviewed: "reviewed by a person",
  };
  const CHANGES = { new: "new", edited: "edited", rerendered: "another prompt", moved: "moved to the other split" };
  const WHAT = { template: "Template", heading: "Passage", question: "Question", whole: "Prompt", answer: "Answer" };

  // Characters that no one sees, or that change the order of what is seen. Joiners of emoji stay.
  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udc7f]/g;
  const code = (found) => `U+${found.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

  /** Adds text to an element as text, with marks for hidden characters. */
  const say = (element, text) => {
    let at = 0;
    for (const found of text.matchAll(HIDDEN)) {
      element.append(text.slice(at, found.index));
      const mark = document.createElement("span");
      mark.className = "control";
      mark.textContent = code(found[0]);
      element.append(mark);
      at = found.index + found[0].length;
    }
    element.append(text.slice(at));
    return element;
  };
  const make = (tag, kind = "", text = "") => {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    return text ? say(element, text) : element;
  };
  /** Yields kind and number of each stretch of a prompt. */
  const stretches = function* (flat) {
    for (let i = 0; i < flat.length; i += 2) yield [kinds[flat[i]], flat[i + 1]];
  };

  for (const row of rows) {
    row.changes ??= [];
    row.searched = [row.answer];
    row.length = 0;
    for (const [kind, n] of stretches(row.prompt)) {
      row.length += strings[n].length;
      if (kind !== "template") row.searched.push(n);
      if (kind === "question" || kind === "whole") row.title = n;
    }
  }
  const name = (channel) => channels[channel] ?? channel;

  // Filters: each is there only if it has something to choose.
  const filters = [
    ["split", "all", (row) => [row.split], (value) => value],
    ["channel", "all", (row) => (row.channel ? [row.channel] : []), name],
    ["method", "any way", (row) => (row.method ? [row.method] : []), (value) => METHODS[value] ?? value],
    ["change", "all", (row) => row.changes, (value) => CHANGES[value] ?? value],
  ].map(([id, all, values, said]) => {
    const select = byId(id);
    const counts = new Map();
    for (const row of rows) for (const value of values(row)) counts.set(value, (counts.get(value) ?? 0) + 1);
    select.append(new Option(all, ""));
    for (const [value, n] of [...counts].sort((a, b) => b[1] - a[1])) {
      const option = new Option("", value);
      say(option, `${said(value)} (${n.toLocaleString("en")})`);
      select.append(option);
    }
    select.parentElement.hidden = counts.size < (id === "change" ? 1 : 2);
    return { select, values };
  });
  const order = byId("order");
  if (!rows.some((row) => row.confidence < 1)) order.querySelector("[value=unsure]").remove();

  const list = byId("list"), pad = byId("pad"), detail = byId("detail"), query = byId("q"), found = byId("found");
  const HEIGHT = 64;
  let shown = rows, chosen = 0, drawn = "";

  const draw = () => {
    const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - 4);
    const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / HEIGHT) + 4);
    const now = `${first} ${last} ${chosen}`;
    if (now === drawn) return;
    drawn = now;
    // The chosen row is always there, because the list names it as its active descendant.
    const wanted = new Set(shown.length ? [chosen] : []);
    for (let i = first; i < last; i += 1) wanted.add(i);
    pad.replaceChildren(...[...wanted].sort((a, b) => a - b).map(item));
    if (shown.length) list.setAttribute("aria-activedescendant", `item-${chosen}`);
    else list.removeAttribute("aria-activedescendant");
  };
  const item = (i) => {
    const row = shown[i];
    const element = make("div", "item");
    element.id = `item-${i}`;
    element.setAttribute("role", "option");
    element.setAttribute("aria-selected", String(i === chosen));
    element.setAttribute("aria-setsize", shown.length);
    element.setAttribute("aria-posinset", i + 1);
    element.style.top = `${i * HEIGHT}px`;
    const title = make("span", "t", strings[row.title].slice(0, 200).replace(/\s+/g, " "));
    title.dir = "auto";
    const about = [row.split, row.channel && name(row.channel), row.confidence < 1 && row.confidence.toFixed(2), ...row.changes.map((c) => CHANGES[c])];
    element.append(title, make("span", "m", about.filter(Boolean).join(" · ")));
    element.addEventListener("click", () => {
      choose(i);
      if (detail.offsetTop > list.offsetTop) detail.scrollIntoView({ block: "start" });
    });
    return element;
  };

  const choose = (i) => {
    chosen = Math.max(0, Math.min(i, shown.length - 1));
    const top = chosen * HEIGHT;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = top + HEIGHT - list.clientHeight;
    draw();
    tell();
  };

  const text = (system, sections, label) => {
    const box = make("div", "text");
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", label);
    const piece = (kind, content, what) => {
      const element = make("div", `piece ${kind}`);
      if (what) element.append(make("span", "what", what));
      const body = make("div", "body", content);
      body.dir = "auto";
      element.append(body);
      box.append(element);
    };
    if (system !== undefined) piece("template", strings[system], "System instruction");
    let passages = 0;
    for (const [kind, n] of stretches(sections)) {
      if (kind === "heading") passages += 1;
      // Blank lines between two passages are part of the prompt, but not worth a label.
      const what = !strings[n].trim() ? "" : kind === "heading" ? `Passage ${passages}` : WHAT[kind] ?? "";
      // The label has a line of its own, so line ends around a text would only look like gaps.
      piece(kind, strings[n].replace(/^\n+|\n+$/g, ""), what);
    }
    return box;
  };

  const tell = () => {
    const row = shown[chosen];
    if (!row) {
      detail.replaceChildren(make("p", "empty", "No example fits. Change the search or the filters."));
      return;
    }
    const top = make("div", "bar-top");
    const id = make("bdi", "id mono", row.id);
    const steps = make("div");
    for (const [label, to] of [["Previous", chosen - 1], ["Next", chosen + 1]]) {
      const step = make("button", "", label);
      step.type = "button";
      step.id = label.toLowerCase();
      step.disabled = to < 0 || to >= shown.length;
      step.addEventListener("click", () => {
        choose(to);
        const again = byId(step.id);
        (again.disabled ? detail : again).focus({ preventScroll: true });
      });
      steps.append(step, " ");
    }
    top.append(id, steps);

    const tags = make("ul", "tags");
    const tag = (content, hot = false) => content && tags.append(make("li", hot ? "hot" : "", content));
    row.changes.forEach((change) => tag(CHANGES[change], true));
    tag(row.split === "train" ? "to train on" : "to check with");
    tag(row.channel && name(row.channel));
    tag(row.at && `asked ${row.at.slice(0, 10)}`);
    tag(row.method && `found by ${METHODS[row.method] ?? row.method}`);
    tag(row.confidence < 1 && `confidence ${row.confidence.toFixed(2)}`);
    (row.evidence ?? []).forEach((why) => tag(EVIDENCE[why] ?? why));
    (row.edits ?? []).forEach((step) => tag(`edited by ${step}`));
    tag(row.path && row.path !== row.channel && (row.line ? `${row.path}:${row.line}` : row.path));

    const sides = make("div", "sides");
    const side = (heading, sections) => {
      const column = make("div");
      column.append(make("h3", "", heading), text(row.system, sections, heading));
      sides.append(column);
    };
    side(row.twin ? "The prompt, with retrieval" : "The prompt, as the model sees it", row.prompt);
    if (row.twin) side("The same question, without retrieval", row.twin);
    const answer = make("div", "text");
    const piece = make("div", "piece answer");
    const body = make("div", "body", strings[row.answer]);
    body.dir = "auto";
    piece.append(body);
    answer.append(piece);
    detail.replaceChildren(top, tags, sides, make("h3", "", "What the model should answer"), answer);
    if (detail.scrollTop) detail.scrollTop = 0;
  };

  const refresh = () => {
    const wanted = query.value.trim().toLowerCase();
    const hits = wanted && lower.map((text) => text.includes(wanted));
    const current = shown[chosen];
    shown = rows.filter((row) =>
      filters.every(({ select, values }) => !select.value || values(row).includes(select.value)) &&
      (!wanted || row.searched.some((n) => hits[n]) || row.id.toLowerCase().includes(wanted)));
    if (order.value === "unsure") shown = shown.toSorted((a, b) => (a.confidence ?? 1) - (b.confidence ?? 1));
    if (order.value === "long") shown = shown.toSorted((a, b) => b.length - a.length);
    found.textContent = shown.length === rows.length
      ? `${rows.length.toLocaleString("en")} examples`
      : `${shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} examples`;
    pad.style.height = `${shown.length * HEIGHT}px`;
    drawn = "";
    choose(Math.max(0, shown.indexOf(current)));
  };

  let waiting = 0;
  query.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(refresh, 120); });
  byId("filters").addEventListener("change", (event) => { if (event.target !== query) refresh(); });
  byId("filters").addEventListener("submit", (event) => { event.preventDefault(); refresh(); });
  list.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  new ResizeObserver(draw).observe(list);

  // Letters are shortcuts only inside the browser, so that they do not get in the way of other tools.
  byId("browser").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input, select");
    if (event.key === "Escape" && event.target === query) {
      query.value = "";
      refresh();
    } else if (typing) {
      if (event.target === query && event.key === "ArrowDown") list.focus();
      else return;
    } else if (event.key === "/") query.focus();
    else {
      const inList = event.target === list;
      const page = Math.max(1, Math.floor(list.clientHeight / HEIGHT) - 1);
      const to = { j: chosen + 1, k: chosen - 1, ...(inList && {
        ArrowDown: chosen + 1, ArrowUp: chosen - 1, PageDown: chosen + page, PageUp: chosen - page, Home: 0, End: shown.length - 1,
      }) }[event.key];
      if (to !== undefined) choose(to);
      else if (inList && event.key === "Enter") detail.focus();
      else return;
    }
    event.preventDefault();
  });

  byId("browser").hidden = false;
  refresh();
})();
