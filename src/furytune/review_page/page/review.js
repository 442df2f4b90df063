"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const REASONS = ["wrong", "unclear question", "off topic", "outdated", "incomplete answer", "personal", "not a question"];
  const AHEAD = 5; // pairs that are fetched before they are needed
  const POLL = 3000; // milliseconds between two looks at what others decided
  const RETRY = 2000; // milliseconds until a decision is sent again
  const PAUSE = 120000; // milliseconds without a decision that count as a break
  const LISTED = 9; // choices that have a number key

  // Theme: follows the system unless someone chose one.
  const themes = ["auto", "light", "dark"];
  const stored = () => { try { return localStorage.getItem("furytune-theme"); } catch { return null; } };
  const wear = (theme) => {
    if (theme === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", theme);
    byId("theme").lastElementChild.textContent = theme;
  };
  let theme = themes.includes(stored()) ? stored() : "auto";
  wear(theme);
  byId("theme").addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    wear(theme);
    try { localStorage.setItem("furytune-theme", theme); } catch { /* the theme lasts until the page is closed */ }
  });

  // Characters that no one sees, or that change the order of what is seen. Joiners of emoji stay.
  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;
  const CODE = /(```[\s\S]*?```|`[^`\n]+`)/;

  /** Adds text to an element as text, with marks for hidden characters. */
  const say = (element, text) => {
    let at = 0;
    for (const found of text.matchAll(HIDDEN)) {
      element.append(text.slice(at, found.index));
      const mark = document.createElement("span");
      mark.className = "control";
      mark.textContent = `U+${found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
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
  /** Fills an element with a message; code is set in another face, and nothing is left out. */
  const sayMarked = (element, text) => {
    element.replaceChildren();
    for (const part of text.split(CODE)) {
      if (part.startsWith("```")) element.append(make("pre", "", part));
      else if (part.startsWith("`") && part.length > 2) element.append(make("code", "", part));
      else say(element, part);
    }
  };
  const many = (n, one) => `${n.toLocaleString("en")} ${one}${n === 1 ? "" : "s"}`;
  const when = (iso) => (iso ? `${iso.slice(0, 10)} ${iso.slice(11, 16)}` : "");

  // What the page knows.
  let items = []; // [id, status, label] of each pair in the list
  let places = new Map(); // place in the list, by id
  let at = -1; // place of the pair that is shown
  let shown = null; // everything about it
  let seen = 0; // revision of the file that this page has looked at
  let all = 0;
  let todo = 0;
  let by = "";
  let editing = ""; // "question" or "answer" while it is edited
  const views = new Map(); // what was fetched, by id
  const drafts = new Map(); // texts that were not saved, by field and id
  const made = []; // own decisions, for undo
  const own = new Map(); // revision of the last decision that was made here, by id
  const waiting = []; // decisions on their way to the disk
  const stamps = []; // when decisions were made
  let sending = false;
  let conflict = null; // a decision that someone else overtook

  class Refused extends Error {
    constructor(status, problem) {
      super(problem);
      this.status = status;
    }
  }
  // The storage belongs to this port alone, and other windows of the same browser share it.
  const KEPT = "furytune-review-key";
  let key = "";
  const readKey = () => { try { key = localStorage.getItem(KEPT) ?? key; } catch { /* then only this window has it */ } };
  const keepKey = (found) => {
    key = found;
    try { localStorage.setItem(KEPT, key); } catch { /* then only this window has it */ }
  };
  const ask = async (path, body) => {
    const headers = { "X-Furytune-Key": key };
    const options = body === undefined ? { headers } : {
      method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body),
    };
    const response = await fetch(path, { ...options, credentials: "same-origin", cache: "no-store" });
    const found = await response.json();
    if (!response.ok) throw new Refused(response.status, found.problem);
    return found;
  };
  const tell = (text, bad = false) => {
    byId("saved").textContent = text;
    byId("saved").className = bad ? "bad" : "";
  };
  const failed = (error) => tell(error instanceof Refused ? error.message : "The review page does not answer. Is it still running?", true);

  // The list

  const isTodo = (status) => status === "undecided" || status === "changed";
  const query = () => new URLSearchParams({
    state: byId("state").value, channel: byId("channel").value, search: byId("search").value,
    least: byId("least").valueAsNumber || 0, most: Number.isNaN(byId("most").valueAsNumber) ? 1 : byId("most").valueAsNumber,
  });
  let asked = 0;
  const list = async (keep = "") => {
    const turn = ++asked;
    const found = await ask(`/queue?${query()}`);
    if (turn !== asked) return; // another filter was set meanwhile
    ({ items } = found);
    places = new Map(items.map(([id], n) => [id, n]));
    seen = found.revision;
    count(found);
    const channel = byId("channel");
    if (channel.length === 1) for (const name of found.channels) channel.append(new Option(name, name));
    channel.closest("label").hidden = found.channels.length < 2;
    at = -1;
    // Whoever is in a filter stays there. Otherwise the focus would be lost where nothing fits for a moment.
    const held = document.activeElement;
    await go(places.get(keep) ?? 0, { focus: held === byId("pair") || held === byId("empty") });
  };
  const count = (found) => {
    ({ all, todo, by } = found);
    const done = all - todo;
    const percent = all ? Math.round((100 * done) / all) : 0;
    byId("bar").firstElementChild.style.width = `${percent}%`;
    byId("bar").setAttribute("aria-valuenow", percent);
    byId("bar").setAttribute("aria-valuetext", `${done} of ${all}`);
    let text = `${done.toLocaleString("en")} of ${all.toLocaleString("en")} decided`;
    const pace = perHour();
    if (pace) {
      text += ` · ${pace} an hour`;
      const minutes = Math.ceil((60 * todo) / pace);
      if (todo) text += minutes < 90 ? ` · ${minutes} min left` : ` · ${Math.round(minutes / 60)} h left`;
    }
    byId("progress").textContent = text;
  };
  const perHour = () => {
    let worked = 0;
    for (let n = 1; n < stamps.length; n++) worked += Math.min(stamps[n] - stamps[n - 1], PAUSE);
    return stamps.length < 5 || !worked ? 0 : Math.round(((stamps.length - 1) * 3600000) / worked);
  };

  // One pair

  const view = (id) => {
    if (!views.has(id)) {
      const found = ask(`/pair?${new URLSearchParams({ id })}`);
      views.set(id, found);
      found.then(
        (it) => { if (it.around.reading && views.get(id) === found) views.delete(id); },
        () => { if (views.get(id) === found) views.delete(id); },
      );
      if (views.size > 200) views.delete(views.keys().next().value);
    }
    return views.get(id);
  };
  let turn = 0;
  let moving = false; // while the pair on the screen is no longer the one that comes next
  /** Shows the pair at a place of the list. */
  const go = async (place, { focus = true } = {}) => {
    keepDraft();
    const mine = ++turn;
    if (!items.length) {
      shown = null;
      moving = false;
      for (const id of ["pair", "aside"]) byId(id).hidden = true;
      byId("empty").hidden = false;
      const filtered = byId("search").value || byId("channel").value || byId("state").value !== "todo" || byId("least").value > 0 || byId("most").value < 1;
      byId("empty").firstElementChild.textContent = filtered ? "No pair fits" : all ? "All pairs are decided" : "There are no pairs";
      byId("empty").lastElementChild.textContent = filtered ? "Choose another filter, or other words." : all ? "The next run applies your decisions. To look at them again, choose “decided” above." : "The collector found none.";
      if (focus) byId("empty").focus();
      return;
    }
    at = Math.max(0, Math.min(place, items.length - 1));
    const id = items[at][0];
    moving = shown?.id !== id;
    let found;
    try {
      found = await view(id);
    } catch (error) {
      failed(error);
      return;
    }
    if (mine !== turn) return;
    moving = false;
    // Someone began to correct this pair while it was fetched once more: what they type stays, with the revision they saw.
    if (editing && shown?.id === id) return;
    show(found, focus);
    for (let n = 1; n <= AHEAD; n++) if (items[at + n]) view(items[at + n][0]).catch(() => {});
    if (found.around.reading) setTimeout(() => { if (mine === turn && !editing) again(); }, 1000);
  };
  /** Fetches the pair that is shown once more. */
  const again = () => {
    if (!shown) return Promise.resolve();
    views.delete(shown.id);
    return go(at, { focus: false });
  };
  const STATUS = { undecided: "undecided", accepted: "accepted", corrected: "corrected", dropped: "dropped", merged: "merged", changed: "the source has changed" };
  const show = (it, focus) => {
    const moved = !shown || shown.id !== it.id;
    shown = it;
    editing = "";
    byId("empty").hidden = true;
    for (const id of ["pair", "aside"]) byId(id).hidden = false;
    say(clear("where"), `Pair ${(at + 1).toLocaleString("en")} of ${items.length.toLocaleString("en")}`);
    mark(items[at][1]);
    say(clear("place"), [it.channel, when(it.asked_at), ...it.tags].filter(Boolean).join(" · "));
    const warnings = [];
    if (it.void) warnings.push("Someone decided about this pair, but question, answer or messages have changed since. Decide again.");
    if (it.problem) warnings.push(`No prompt can hold it: ${it.problem}.`);
    if (it.left_out) warnings.push(`If every pair were accepted, the step ${it.left_out} would still leave this one out.`);
    if (it.decision?.status === "dropped") warnings.push(`Dropped: ${it.decision.reason}.`);
    if (it.decision?.status === "merged") warnings.push(`Merged into: ${it.decision.into_question || it.decision.into}`);
    if (it.decision?.note) warnings.push(`Note: ${it.decision.note}`);
    say(clear("warning"), warnings.join("\n"));
    byId("warning").hidden = !warnings.length;
    for (const field of ["question", "answer"]) unedit(field);
    byId("confidence").textContent = `Confidence ${it.confidence.toFixed(2)}`;
    document.querySelector(".meter span").style.width = `${100 * it.confidence}%`;
    byId("why").replaceChildren(...it.why.map((text) => make("li", "", text)));
    byId("around").replaceChildren(...around(it.around));
    byId("similar").replaceChildren(...it.similar.map(like));
    if (!it.similar.length) byId("similar").append(make("li", "quiet", "No other question has the same words."));
    prompt(it.prompt);
    byId("previous").disabled = at === 0;
    byId("next").disabled = at === items.length - 1;
    byId("undo").disabled = !made.length && !it.decision;
    if (conflict?.choice.id === it.id) clash(); else byId("notice").hidden = true;
    if (moved) {
      byId("pair").scrollTop = 0;
      if (matchMedia("(max-width: 64rem)").matches) { if (focus) byId("pair").scrollIntoView(); } else window.scrollTo(0, 0);
    }
    // A reader hears where it is, and the keys work wherever the focus was.
    if (focus && !document.querySelector("dialog[open]")) byId("pair").focus({ preventScroll: true });
  };
  const clear = (id) => { byId(id).replaceChildren(); return byId(id); };
  const mark = (status) => {
    byId("status").className = status;
    const who = shown?.decision?.by;
    byId("status").textContent = STATUS[status] + (who && !isTodo(status) ? ` by ${who}` : "");
  };
  const around = (found) => {
    const rows = [];
    for (const message of found.messages) {
      if (message.gap) rows.push(make("li", "gap", "some messages are left out"));
      const row = make("li", message.part);
      row.append(make("span", "who", message.who + (message.part ? ` (${message.part})` : "")));
      row.append(make("time", "", when(message.at)));
      const text = make("span", message.text ? "text" : "text quiet");
      sayMarked(text, message.text || "(no text: a file or a picture)");
      row.append(text);
      rows.push(row);
    }
    const remark = found.problem || (found.reading ? "The messages are being read …" : rows.length ? "" : "Its messages were not found in the source.");
    if (remark) rows.push(make("li", "gap", remark));
    return rows;
  };
  const like = (other) => {
    const row = make("li");
    row.append(make("span", "tag", `${Math.round(100 * other.share)} % the same words · ${STATUS[other.status]}`));
    row.append(make("span", "text", other.question), make("span", "text reply", other.answer));
    return row;
  };
  const prompt = (found) => {
    const parts = [];
    if (found.problem) parts.push(make("p", "quiet", `There is none: ${found.problem}`));
    else {
      for (const [name, text] of [["System instruction", found.system], ["Prompt", found.text]]) {
        if (!text) continue;
        const block = make("pre", "", text);
        block.tabIndex = 0;
        block.setAttribute("role", "region");
        block.setAttribute("aria-label", name);
        if (found.system) parts.push(make("p", "tag", name));
        parts.push(block);
      }
      parts.push(make("p", "quiet", `${many(found.passages, "passage")} · ${found.split === "train" ? "in the training part" : "in the validation part"}`));
    }
    byId("prompt").replaceChildren(...parts);
  };

  // Editing

  const draftOf = (field) => `${field} ${shown.id}`;
  const keepDraft = () => {
    if (!editing || !shown) return;
    const text = byId(editing).querySelector("textarea").value;
    if (text === shown[editing]) drafts.delete(draftOf(editing)); else drafts.set(draftOf(editing), text);
    editing = "";
  };
  const unedit = (field) => {
    sayMarked(byId(field), shown[field]);
    byId(`edit-${field}`).hidden = false;
    byId("actions").hidden = false;
  };
  const edit = (field) => {
    if (!shown) return;
    if (editing) { const open = editing; keepDraft(); unedit(open); }
    editing = field;
    byId(`edit-${field}`).hidden = true;
    const box = make("div", "edit");
    const text = make("textarea");
    text.value = drafts.get(draftOf(field)) ?? shown[field];
    text.setAttribute("aria-label", field === "answer" ? "Corrected answer" : "Corrected question");
    text.spellcheck = true;
    const row = make("p");
    const save = make("button", "main", "Save ");
    save.append(make("kbd", "", "Ctrl Enter"));
    save.type = "button";
    save.addEventListener("click", saveEdit);
    const stop = make("button", "", "Cancel ");
    stop.append(make("kbd", "", "Esc"));
    stop.type = "button";
    stop.addEventListener("click", stopEdit);
    row.append(save, stop);
    if (drafts.has(draftOf(field))) row.append(make("span", "quiet", "This is what you had typed before."));
    box.append(text, row);
    byId(field).replaceChildren(box);
    byId("actions").hidden = true;
    text.focus();
    text.setSelectionRange(text.value.length, text.value.length);
  };
  const stopEdit = () => {
    const field = editing;
    keepDraft();
    unedit(field);
    byId("pair").focus({ preventScroll: true });
    again(); // it may have been fetched while it was edited
  };
  const saveEdit = () => {
    const field = editing;
    const text = byId(field).querySelector("textarea").value;
    if (text === shown[field]) { stopEdit(); return; }
    if (!text.trim()) { tell("An empty text cannot be saved. To leave the pair out, drop it.", true); return; }
    drafts.set(draftOf(field), text); // until it is saved
    editing = "";
    decide({ action: field, text });
  };

  // Deciding

  const AFTER = { accept: "accepted", answer: "corrected", question: "corrected", drop: "dropped", merge: "merged" };
  const decide = (choice) => {
    if (!shown) return;
    const entry = { id: shown.id, made: 0, before: 0 };
    const job = { choice: { ...choice, id: shown.id, revision: shown.revision }, entry };
    made.push(entry);
    stamps.push(performance.now());
    if (conflict?.choice.id === shown.id) conflict = null;
    set(shown.id, AFTER[choice.action]);
    const here = at;
    send(job);
    go(following(here));
  };
  /** Returns where to go after a decision: to the next pair that is undecided, if only those are listed. */
  const following = (here) => {
    if (byId("state").value !== "todo") return here + 1;
    for (let n = 1; n <= items.length; n++) {
      const place = (here + n) % items.length;
      if (isTodo(items[place][1])) return place;
    }
    items = []; // every one is decided
    places = new Map();
    return 0;
  };
  const set = (id, status) => {
    views.delete(id);
    const place = places.get(id);
    if (place !== undefined) items[place][1] = status;
  };
  const send = (job) => {
    waiting.push(job);
    tell("Saving …");
    if (!sending) work();
  };
  const forget = (entry) => {
    if (made.includes(entry)) made.splice(made.indexOf(entry), 1);
  };
  const work = async () => {
    sending = true;
    while (waiting.length) {
      const job = waiting[0];
      const { choice, entry } = job;
      try {
        if (job.undo) {
          if (!job.undo.made) { waiting.shift(); continue; } // nothing was recorded then
          choice.before = job.undo.before;
          choice.revision = Math.max(choice.revision, job.undo.made);
        }
        // What was decided here a moment ago is known, also if the pair was fetched before it was saved.
        choice.revision = Math.max(choice.revision, own.get(choice.id) ?? 0);
        const found = await ask("/decide", choice);
        waiting.shift();
        if (entry) Object.assign(entry, { made: found.made, before: found.before });
        if (entry && !found.made) forget(entry);
        if (found.made) own.set(choice.id, found.made);
        drafts.delete(`${choice.action} ${choice.id}`);
        set(choice.id, found.status);
        if (moving) go(at); // the pair could not be fetched either
        else if (shown?.id === choice.id && !editing && !waiting.length) again();
        count(found);
        if (!waiting.length) tell(job.undo ? "Undone and saved" : found.made ? `Saved: ${found.status}` : "Saved before");
      } catch (error) {
        if (!(error instanceof Refused)) {
          tell(`Not saved: the review page does not answer. ${many(waiting.length, "decision")} waiting.`, true);
          await new Promise((done) => setTimeout(done, RETRY));
          continue;
        }
        if (error.status === 401 || error.status === 503) { // the session is over; nothing that waits is lost while this page is open
          readKey(); // another window may have begun a new session
          tell(`Not saved: ${error.message}. ${many(waiting.length, "decision")} waiting.`, true);
          await new Promise((done) => setTimeout(done, RETRY));
          continue;
        }
        waiting.shift();
        if (entry) forget(entry);
        views.delete(choice.id);
        if (error.status === 409) {
          conflict = job;
          tell("Not saved: someone else decided about this pair", true);
        } else {
          tell(`Not saved: ${error.message}`, true);
        }
        await reread(choice.id);
        await visit(choice.id);
        if (error.status !== 409 && (choice.action === "answer" || choice.action === "question")) edit(choice.action);
      }
    }
    sending = false;
    byId("undo").disabled = !made.length && !shown?.decision;
  };
  /** Sets the status of a pair in the list to what the file says. */
  const reread = async (id) => {
    try {
      const found = await view(id);
      set(id, found.decision?.status ?? (found.void ? "changed" : "undecided"));
    } catch { /* `visit` says it */ }
  };
  /** Shows a pair, also if the filter does not list it. */
  const visit = async (id) => {
    // What is chosen there would be about another pair.
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    if (!places.has(id)) {
      items.splice(Math.max(at, 0), 0, [id, "undecided", ""]);
      places = new Map(items.map(([one], n) => [one, n]));
      await reread(id);
    }
    await go(places.get(id));
  };
  const clash = () => {
    const job = conflict;
    const { choice } = job;
    const box = make("div");
    const other = shown.decision;
    const theirs = other ? `${other.by || "Someone"} decided in the meantime: ${other.status}${other.reason ? ` (${other.reason})` : ""}.` : "Someone took the decision about this pair back in the meantime.";
    box.append(make("p", "", theirs));
    const WORDS = { accept: "accept it", drop: `drop it (${choice.reason})`, merge: "merge it", answer: "save this answer", question: "save this question", restore: "undo your decision" };
    box.append(make("p", "", `You wanted to ${WORDS[choice.action]}. Yours is not saved.`));
    if (choice.text) box.append(make("p", "mine", choice.text));
    const row = make("p", "buttons");
    const mine = make("button", "main", "Save mine ");
    mine.append(make("kbd", "", "Enter"));
    mine.id = "save-mine";
    const leave = make("button", "", "Keep theirs ");
    leave.append(make("kbd", "", "Esc"));
    leave.id = "keep-theirs";
    mine.type = leave.type = "button";
    mine.addEventListener("click", () => {
      if (job.undo) { conflict = null; byId("notice").hidden = true; job.choice.revision = shown.revision; send(job); return; }
      const { action, text, reason, into } = choice;
      decide(Object.fromEntries(Object.entries({ action, text, reason, into }).filter(([, value]) => value)));
    });
    leave.addEventListener("click", () => {
      conflict = null;
      drafts.delete(`${choice.action} ${choice.id}`);
      byId("notice").hidden = true;
      tell("Theirs is kept");
      go(following(at));
    });
    row.append(mine, leave);
    box.append(row);
    byId("notice").replaceChildren(box);
    byId("notice").hidden = false;
  };
  const undo = async () => {
    let entry = made.pop();
    if (!entry) {
      // Not decided in this window, or before it was reloaded: then it is about the pair that is shown.
      if (!shown?.decision) { tell("There is nothing to undo"); return; }
      entry = { id: shown.id, made: shown.decision.revision, before: 0 };
    }
    send({ choice: { id: entry.id, action: "restore", revision: 0 }, undo: entry });
    set(entry.id, "undecided");
    stamps.pop();
    await visit(entry.id);
  };

  // Windows

  const choices = (element, texts, choose) => {
    element.replaceChildren(...texts.slice(0, LISTED).map((text, n) => {
      const row = make("li");
      const button = make("button");
      button.type = "button";
      button.append(make("kbd", "", String(n + 1)), make("span", "text", text));
      button.addEventListener("click", () => choose(n));
      row.append(button);
      return row;
    }));
  };
  const ask_why = () => {
    if (!shown) return;
    byId("reason").value = "";
    byId("why-drop").showModal();
    byId("reasons").querySelector("button").focus();
  };
  const drop = (reason) => {
    byId("why-drop").close();
    decide({ action: "drop", reason });
  };
  choices(byId("reasons"), REASONS, (n) => drop(REASONS[n]));
  byId("why-drop").querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const reason = byId("reason").value.trim();
    if (reason) drop(reason); else byId("reason").focus();
  });
  const ask_into = () => {
    if (!shown) return;
    if (!shown.similar.length) { tell("No similar pair was found to merge it into"); return; }
    const { similar } = shown;
    choices(byId("targets"), similar.map((other) => other.question), (n) => {
      byId("merge-into").close();
      decide({ action: "merge", into: similar[n].id });
    });
    byId("merge-into").showModal();
    byId("targets").querySelector("button").focus();
  };
  for (const dialog of document.querySelectorAll("dialog")) {
    for (const button of dialog.querySelectorAll(".close")) button.addEventListener("click", () => dialog.close());
    dialog.addEventListener("keydown", (event) => {
      if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const button = dialog.querySelectorAll("ol button")[Number(event.key) - 1];
      if (button) { event.preventDefault(); button.click(); }
    });
  }

  // Keys

  const leaveTo = (step) => go(at + step);
  const KEYS = {
    j: () => leaveTo(1), k: () => leaveTo(-1), a: () => decide({ action: "accept" }), d: ask_why, e: () => edit("answer"),
    q: () => edit("question"), m: ask_into, u: undo, "/": () => byId("search").select(), "?": () => byId("help").showModal(),
  };
  const CHANGING = new Set(["a", "d", "e", "q", "m", "u"]);
  const press = (key) => {
    // Someone who reviews quickly must not overwrite what was just put in front of them.
    if (CHANGING.has(key) && moving) return;
    if (CHANGING.has(key) && !byId("notice").hidden) tell("First choose: save yours (Enter), or keep theirs (Esc)", true);
    else KEYS[key]();
  };
  // What is hidden takes no focus: perhaps nothing fits the filters.
  const leaveFilters = () => byId(byId("pair").hidden ? "empty" : "pair").focus({ preventScroll: true });
  const OFTEN = new Set(["j", "k"]); // may be held down
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest?.("input, select, textarea");
    if (field) {
      if (event.key === "Escape" && editing && field.tagName === "TEXTAREA") { event.preventDefault(); stopEdit(); }
      else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && editing) { event.preventDefault(); saveEdit(); }
      else if (event.key === "Escape" && field.closest("#filters")) { event.preventDefault(); leaveFilters(); }
      else if (event.key === "Enter" && field.closest("#filters")) { event.preventDefault(); leaveFilters(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (!byId("notice").hidden) {
      if (event.key === "Enter" && !event.target.closest("button")) { event.preventDefault(); byId("save-mine").click(); return; }
      if (event.key === "Escape") { event.preventDefault(); byId("keep-theirs").click(); return; }
    }
    if (!KEYS[event.key] || (event.repeat && !OFTEN.has(event.key))) return;
    event.preventDefault();
    press(event.key);
  });
  for (const [id, key] of [["accept", "a"], ["drop", "d"], ["merge", "m"], ["undo", "u"], ["previous", "k"], ["next", "j"], ["edit-answer", "e"], ["edit-question", "q"], ["help-open", "?"]]) {
    byId(id).addEventListener("click", () => press(key));
    byId(id).setAttribute("aria-keyshortcuts", key);
  }

  // Filters

  let soon = 0;
  const refilter = () => { list(shown?.id).catch(failed); };
  byId("search").addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(refilter, 150); });
  for (const id of ["state", "channel", "least", "most"]) byId(id).addEventListener("change", refilter);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());

  // What others decide meanwhile

  const look = async () => {
    if (document.hidden || sending) return;
    try {
      const found = await ask(`/since?${new URLSearchParams({ revision: seen })}`);
      if (sending || found.revision === seen) return;
      seen = found.revision;
      count(found);
      for (const [id, status] of found.changed) {
        const place = places.get(id);
        if (place === undefined || items[place][1] === status) continue;
        set(id, status);
        if (id === shown?.id && !editing) {
          await again();
          tell(`Decided elsewhere just now: ${STATUS[status]}`);
        }
      }
    } catch (error) {
      failed(error);
    }
  };
  window.addEventListener("beforeunload", (event) => { keepDraft(); if (waiting.length || drafts.size) event.preventDefault(); });

  const start = async () => {
    readKey();
    const token = location.hash.slice(1);
    if (token && token !== "pair") {
      history.replaceState(null, "", location.pathname);
      try {
        keepKey((await ask("/session", { token })).key);
      } catch (error) {
        // The address of an open page may be opened again.
        if (!(error instanceof Refused)) throw error;
      }
    }
    await list();
    byId("pair").focus({ preventScroll: true });
    setInterval(look, POLL);
    document.addEventListener("visibilitychange", look);
  };
  start().catch((error) => {
    byId("empty").hidden = false;
    byId("empty").firstElementChild.textContent = "The page cannot be shown";
    byId("empty").lastElementChild.textContent = error instanceof Refused ? error.message : "The review page does not answer.";
  });
})();
