// What the page asks of the program that serves it.

/** This tab; two tabs are given different pictures. */
export const tab = Math.random().toString(36).slice(2);

async function answer(response) {
  const text = await response.text();
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    body = { message: text || response.statusText };
  }
  if (response.ok) return body;
  throw Object.assign(new Error(body.message), { help: body.help });
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw Object.assign(new Error("The program that serves this page does not answer, so nothing is kept"), {
      help: "Start `scarce label` again; what was kept is there",
    });
  }
  return answer(response);
}

export const get = (path) => ask(path);

export const post = (path, body) =>
  ask(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ tab, ...body }),
  });

/** Calls `changed` with the status now and whenever it changes, `lost` when nobody serves any more, and
 * `found` when somebody does again. */
export function listen(changed, lost, found) {
  const events = new EventSource("/api/events");
  let gone = false;
  events.onmessage = (event) => {
    if (gone) found();
    gone = false;
    changed(JSON.parse(event.data));
  };
  events.onerror = async () => {
    try {
      await get("/api/status");
    } catch {
      gone = true;
      lost();
    }
  };
}
