// Asking the service: one streamed question, as callbacks. Knows the protocol of /api/query and nothing of the page.

export class ServiceError extends Error {
  constructor(error, status, retryAfterSeconds = 0) {
    super(error.message);
    this.code = error.code;
    this.field = error.param;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const headers = (key) => ({
  "Content-Type": "application/json",
  ...(key ? { Authorization: `Bearer ${key}` } : {}),
});

// Asks a question; `onSession` gets the session's id, `onText` every piece. Resolves to the whole reply; an abort of
// `signal` rejects with AbortError.
export async function ask({ question, sessionId, key, signal, onSession, onText }) {
  const body = JSON.stringify({ question, session_id: sessionId || null, stream: true });
  const response = await fetch("/api/query", { method: "POST", headers: headers(key), body, signal });
  if (!response.ok) throw await refusal(response);
  onSession(response.headers.get("Tellerbox-Session") ?? "");
  for await (const { name, data } of events(response.body)) {
    if (name === "delta") onText(data.text);
    else if (name === "done") return data;
    else if (name === "error") throw new ServiceError(data.error, 200);
  }
  throw new ServiceError({ code: "broken_off", message: "the answer broke off" }, 200);
}

// Ends a session; also while the page is being left. A failure is no concern of the next customer: sessions expire.
export function endSession(sessionId, key) {
  const body = JSON.stringify({ session_id: sessionId });
  fetch("/api/session/end", { method: "POST", headers: headers(key), body, keepalive: true }).catch(() => {});
}

// What the page has to know before it starts; empty when the service does not answer.
export async function settings() {
  const response = await fetch("/api/page").catch(() => null);
  return response?.ok ? response.json() : {};
}

// Whether questions are answered now.
export async function ready() {
  const response = await fetch("/readyz", { cache: "no-store" }).catch(() => null);
  return Boolean(response?.ok);
}

async function refusal(response) {
  const body = await response.json().catch(() => null);
  const seconds = Number(response.headers.get("Retry-After")) || 0;
  return new ServiceError(body?.error ?? { code: "unknown", message: response.statusText }, response.status, seconds);
}

// Server-sent events of a response body: https://html.spec.whatwg.org/multipage/server-sent-events.html
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]));
      if (fields.has("data")) yield { name: fields.get("event") ?? "message", data: JSON.parse(fields.get("data")) };
    }
  }
}
