// Calls of the bridge's API. A cookie that no script can read identifies the caller; `csrf` identifies this page.

let csrf = null;
let scopes = [];
let onEnd = () => {};

/** What to do when the session has ended. */
export function whenSessionEnds(run) {
  onEnd = run;
}

async function send(method, path, body) {
  const headers = {};
  if (csrf) headers["x-csrf-token"] = csrf;
  if (body !== undefined) headers["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    return { status: 0, body: null };
  }
  const json = (answer.headers.get("content-type") || "").includes("json");
  return { status: answer.status, body: json ? await answer.json().catch(() => null) : null };
}

/** An error of the API as an exception: `kind`, `detail`, `remedy`, `field`, `fields`, `findings`. */
export class Problem extends Error {
  constructor(answer) {
    const body = answer.body || {};
    super(body.kind || "unreachable");
    this.status = answer.status;
    this.kind = body.kind || "unreachable";
    this.detail = body.detail || "The app does not respond";
    this.remedy = body.remedy || (answer.body ? null : "Check that it is running, then try again.");
    this.field = body.field || null;
    /** `{path, problem}` for each missing or invalid field, if the API reports several. */
    this.fields = body.fields || [];
    this.findings = body.findings || [];
  }
}

/** Calls the API; throws a `Problem`. */
export async function api(method, path, body) {
  let answer = await send(method, path, body);
  // Another tab may have started a new session since.
  if (answer.status === 401 && await resume()) answer = await send(method, path, body);
  if (answer.status === 401) {
    csrf = null;
    onEnd();
  }
  if (answer.status < 200 || answer.status > 299) throw new Problem(answer);
  return answer.body;
}

/** Whether the session's token has this scope. The server enforces it. */
export function may(scope) {
  return scopes.includes(scope);
}

/** The path of a connection's resource. */
export function at(connection, ...rest) {
  return ["/v1/connections", connection, ...rest].join("/");
}

/** True while there is a session. */
export async function resume() {
  const answer = await send("GET", "/console/session");
  if (answer.status === 0) throw new Problem(answer);
  csrf = answer.status === 200 ? answer.body.csrf_token : null;
  scopes = answer.body?.scopes || [];
  return csrf !== null;
}

/** Starts a session; false if the token is wrong. */
export async function logIn(token) {
  const answer = await send("POST", "/console/session", { token });
  if (answer.status === 401 || answer.status === 400) return false;
  if (answer.status !== 200) throw new Problem(answer);
  csrf = answer.body.csrf_token;
  scopes = answer.body.scopes;
  return true;
}

/** Ends the session; throws a `Problem` if that fails. */
export async function logOut() {
  const end = () => send("DELETE", "/console/session");
  let answer = await end();
  if (answer.status === 401 && await resume()) answer = await end();
  if (answer.status !== 204 && answer.status !== 401) throw new Problem(answer);
  csrf = null;
}
