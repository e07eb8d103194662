// The customer's chat page: what is on the screen, and what a touch or a key does.

import { IdleWatch } from "./idle.js";
import { element, icon, renderText } from "./render.js";
import { $, announce, askKey, dots, focusQuestion, following, grow, notice, setBusy, showTalk, turn } from "./screen.js";
import { ServiceError, ask, endSession, ready, settings } from "./stream.js";
import { STRINGS, defaultLanguage } from "./strings.js";

const RETRY_READY_MS = 3000;
const INTERNAL_SOURCE = /^(model|flow):/; // what a customer cannot look up
const KEY_STORE = "tellerbox-key";

const state = {
  language: defaultLanguage(),
  title: "",
  sessionId: "",
  running: null, // { abort } while an answer is under way
  key: localStorage.getItem(KEY_STORE) ?? "",
};

const t = (name) => STRINGS[state.language][name];

// --- language -----------------------------------------------------------------------------------------------------

function speak(language) {
  state.language = language;
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.ariaLabel = t(node.dataset.tLabel);
  for (const node of document.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
  for (const node of document.querySelectorAll("[data-language]")) node.ariaPressed = String(node.dataset.language === language);
  if (state.title) $("title").textContent = state.title;
  document.title = $("title").textContent;
  $("cards").replaceChildren(...t("requests").map((request) => suggestion(request, "card")));
  $("chips").replaceChildren(...t("requests").map((request) => suggestion(request, "chip")));
}

function suggestion(request, kind) {
  const button = element("button", kind);
  button.type = "button";
  const words = element("span", "words");
  words.append(element("span", "label", request.label));
  if (kind === "card") words.append(element("span", "hint", request.hint));
  button.append(icon(request.icon), words);
  button.addEventListener("click", () => submit(request.question));
  return button;
}

// --- conversation -------------------------------------------------------------------------------------------------

async function submit(question) {
  const text = question.trim();
  if (!text || state.running) return;
  showTalk(true);
  $("question").value = "";
  grow();
  const bubble = turn("mine", t("you"));
  bubble.body.textContent = text;
  await answer(text);
}

// One answer, from the waiting dots to its end. `state.running` is the lock: whoever set it may clear it.
async function answer(question) {
  const running = { abort: new AbortController() };
  state.running = running;
  setBusy(true);
  const shown = turn("theirs", t("assistant"));
  shown.root.classList.add("waiting");
  following(() => shown.body.append(dots(t("waiting"))), true);
  announce(t("waiting"));
  let text = "";
  let frame = 0;
  const paint = () => {
    frame = 0;
    shown.root.classList.remove("waiting");
    shown.root.classList.add("streaming");
    following(() => renderText(shown.body, text));
  };
  const onText = (piece) => {
    text += piece;
    frame ||= requestAnimationFrame(paint);
  };
  try {
    const reply = await askInSession(question, running.abort.signal, onText);
    if (state.running === running) finish(shown, reply);
  } catch (error) {
    if (state.running === running) fail(shown, error, text, question);
  } finally {
    cancelAnimationFrame(frame);
    shown.root.classList.remove("waiting", "streaming");
    if (state.running === running) {
      state.running = null;
      setBusy(false);
    }
  }
}

// A session that the service no longer knows (it expired, or the service was started anew) is begun afresh.
async function askInSession(question, signal, onText) {
  const onSession = (sessionId) => {
    if (!signal.aborted) state.sessionId = sessionId;
  };
  const request = { question, key: state.key, signal, onSession, onText };
  try {
    return await ask({ ...request, sessionId: state.sessionId });
  } catch (error) {
    if (error.field !== "session_id") throw error;
    return ask({ ...request, sessionId: "" });
  }
}

function finish(shown, reply) {
  following(() => {
    if (reply.guard.action === "block") {
      shown.body.replaceChildren(notice("shield", t("blocked"), reply.answer));
    } else {
      renderText(shown.body, reply.answer);
    }
    if (reply.cut_short) shown.body.append(element("p", "aside", t("incomplete")));
    const named = reply.sources.filter((source) => !INTERNAL_SOURCE.test(source));
    if (named.length) shown.body.append(element("p", "aside", `${t("sources")}: ${named.join(" · ")}`));
    if (reply.handoff) shown.body.append(notice("person", t("handoff"), t("handoffHint"), "handoff"));
  });
  announce([reply.answer, reply.handoff ? `${t("handoff")}. ${t("handoffHint")}` : ""].join(" "));
}

function fail(shown, error, text, question) {
  if (error.name === "AbortError") {
    following(() => {
      renderText(shown.body, text);
      shown.body.append(element("p", "aside", t("stopped")));
    });
    announce(t("stopped"));
    return;
  }
  if (error.status === 401 || error.status === 403) askKey();
  const [title, hint, kind] = explain(error);
  const card = notice("alert", title, hint, kind);
  const retry = element("button", "plain", t("retry"));
  retry.type = "button";
  retry.addEventListener("click", () => {
    if (state.running) return;
    shown.root.remove();
    answer(question);
  });
  card.lastElementChild.append(retry);
  following(() => {
    renderText(shown.body, text);
    shown.body.append(card);
  });
  announce(`${title}. ${hint}`);
  if (!(error instanceof ServiceError) || error.status === 503) watchReady();
}

function explain(error) {
  if (error.status === 429) return [t("busy"), t("busyHint").replace("{seconds}", String(error.retryAfterSeconds || 5)), "busy"];
  if (error.code === "context_length_exceeded" || error.status === 413) return [t("tooLong"), t("tooLongHint"), "busy"];
  return [t("failed"), t("failedHint"), "problem"];
}

// The next customer sees nothing of this one, on the screen or in the service.
function newCustomer() {
  const had = $("talk").childElementCount > 0;
  state.running?.abort.abort();
  state.running = null;
  setBusy(false);
  if (state.sessionId) endSession(state.sessionId, state.key);
  state.sessionId = "";
  $("talk").replaceChildren();
  $("question").value = "";
  grow();
  showTalk(false);
  speak(defaultLanguage());
  if (had) announce(t("cleared"));
  focusQuestion();
}

// --- a box that is down --------------------------------------------------------------------------------------------

let watching = false;
async function watchReady() {
  if (watching) return;
  watching = true;
  while (!(await ready())) {
    $("offline").hidden = false;
    await new Promise((resolve) => setTimeout(resolve, RETRY_READY_MS));
  }
  $("offline").hidden = true;
  watching = false;
}

// --- start --------------------------------------------------------------------------------------------------------

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  submit($("question").value);
});
$("question").addEventListener("input", grow);
$("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit($("question").value);
  }
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) state.running?.abort.abort();
});
$("stop").addEventListener("click", () => state.running?.abort.abort());
$("fresh").addEventListener("click", newCustomer);
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => speak(button.dataset.language));
}
$("key").addEventListener("close", () => {
  state.key = $("key-text").value.trim() || state.key;
  localStorage.setItem(KEY_STORE, state.key);
});
addEventListener("pagehide", () => {
  if (state.sessionId) endSession(state.sessionId, state.key);
});

const idle = new IdleWatch({
  dialog: $("idle"),
  left: $("idle-left"),
  stay: $("idle-stay"),
  end: $("idle-end"),
  busy: () => !state.running && ($("talk").childElementCount > 0 || $("question").value !== ""),
  onEnd: newCustomer,
});

speak(state.language);
grow();
focusQuestion();
watchReady();
settings().then(({ idle_s: idleS, title, needs_key: needsKey }) => {
  if (idleS) idle.idleS = idleS;
  if (title) {
    state.title = title;
    speak(state.language);
  }
  if (needsKey && !state.key) askKey();
});
