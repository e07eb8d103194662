// The parts of the screen: turns, notices, the question's field. Knows no words and no service.

import { element, icon } from "./render.js";

const NEAR_END_PX = 120;

export const $ = (id) => document.getElementById(id);

export function turn(kind, who) {
  const root = element("article", `turn ${kind}`);
  const body = element("div", "body");
  root.append(element("span", "unseen", `${who}:`), body);
  following(() => $("talk").append(root), true);
  return { root, body };
}

export function notice(symbol, title, text, kind = "") {
  const card = element("div", `notice ${kind}`);
  const words = element("div", "words");
  words.append(element("strong", "", title), element("p", "", text));
  card.append(icon(symbol), words);
  return card;
}

export function dots(text) {
  const row = element("span", "dots");
  row.append(element("i"), element("i"), element("i"), element("span", "word", text));
  return row;
}

export function showTalk(on) {
  $("welcome").hidden = on;
  $("chips").hidden = !on;
  document.body.classList.toggle("talking", on);
}

export function setBusy(on) {
  $("send").hidden = on;
  $("stop").hidden = !on;
  $("chips").inert = on;
  $("talk").ariaBusy = String(on);
  if (!on) focusQuestion();
}

// Changes the conversation and keeps its end in view, unless the customer has scrolled up to read.
export function following(change, always = false) {
  const main = $("main");
  const atEnd = main.scrollHeight - main.scrollTop - main.clientHeight < NEAR_END_PX;
  change();
  if (atEnd || always) main.scrollTop = main.scrollHeight;
}

export function announce(text) {
  $("say").textContent = text;
}

// Puts the cursor into the question; a touch screen would push its keyboard up.
export function focusQuestion() {
  if (matchMedia("(pointer: fine)").matches) $("question").focus({ preventScroll: true });
}

export function grow() {
  const field = $("question");
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
  $("send").disabled = !field.value.trim();
}

export function askKey() {
  $("key-text").value = "";
  $("key").showModal();
}
