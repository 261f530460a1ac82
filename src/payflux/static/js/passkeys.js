// Makes passkeys, and answers with them. A form asks the server what to ask the browser, then sends what it answers.

const can = window.PublicKeyCredential?.parseCreationOptionsFromJSON && window.PublicKeyCredential.parseRequestOptionsFromJSON;

async function ask(form) {
  const answer = await fetch(form.dataset.options, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams({ csrf_token: form.elements.csrf_token.value }),
  });
  const options = await answer.json();
  if (options.confirm_url) location.assign(`${options.confirm_url}?next=${encodeURIComponent(location.pathname)}`);
  if (!answer.ok) throw new Error([options.detail, options.way_out].filter(Boolean).join(" "));
  if (form.dataset.passkey === "create") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

function words(error, { unused, known, silent }) {
  if (error.name === "NotAllowedError" || error.name === "AbortError") return unused;
  if (error.name === "InvalidStateError") return known;
  return error.message || silent;
}

for (const form of can ? document.querySelectorAll("form[data-passkey]") : []) {
  const problem = form.querySelector("[data-passkey-problem]");
  const button = form.querySelector("button[type=submit]");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    button.disabled = true;
    try {
      form.elements.credential.value = JSON.stringify(await ask(form));
      form.submit();
    } catch (error) {
      problem.textContent = words(error, form.dataset);
      problem.hidden = false;
      button.disabled = false;
    }
  });
}
