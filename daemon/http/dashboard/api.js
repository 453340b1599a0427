// The daemon's HTTP API. Addresses are relative to the page, so that it works behind a proxy's path too.

/** Milliseconds that an answer may take. */
const TIMEOUT = 8000;

export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const address = (path) => new URL(path, document.baseURI).href;

export async function ask(method, path, body) {
  const request = { method, cache: "no-store", credentials: "same-origin", headers: { Accept: "application/json" } };
  request.signal = AbortSignal.timeout(TIMEOUT);
  if (body !== undefined) {
    request.headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(address(path), request);
  } catch (error) {
    throw new ApiError(0, "unreachable", "The daemon is not responding", { cause: error });
  }
  return response;
}

/** The decoded answer; ``also`` names statuses that are answers, too. Throws ApiError. */
export async function call(method, path, { body, also = [] } = {}) {
  const response = await ask(method, path, body);
  let answer = null;
  try {
    answer = await response.json();
  } catch {
    // an answer without JSON is an error below, or none was promised
  }
  if (response.ok || also.includes(response.status)) return answer;
  const { code = "failed", message = `The daemon answered ${response.status}` } = answer?.error ?? {};
  throw new ApiError(response.status, code, message);
}

export const get = (path, options) => call("GET", path, options);

const one = (name) => encodeURIComponent(name);

export const actions = {
  skip: () => call("POST", "queue/skip"),
  hold: () => call("POST", "queue/hold"),
  release: () => call("POST", "queue/release"),
  move: (name, position) => call("POST", `queue/${one(name)}/move?position=${position}`),
  remove: (name) => call("DELETE", `queue/${one(name)}`),
  kick: (name, seconds) => call("POST", `queue/${one(name)}/kick?seconds=${seconds}`),
  take: (name) => call("POST", `queue/take?name=${one(name)}`),
  unblock: (name) => call("POST", `queue/${one(name)}/unblock`),
  turn: (seconds, restart) => call("POST", `update-timer/${seconds}?reset_time=${restart}`),
  turnOf: (name, seconds) => call("POST", `update-timer/${seconds}?streamer=${one(name)}`),
  toggleBlock: () => call("POST", "block-toggle"),
  signIn: (token) => call("POST", "sign-in", { body: { token } }),
  signOut: () => call("POST", "sign-out"),
};
