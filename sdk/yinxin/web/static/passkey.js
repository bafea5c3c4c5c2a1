// Passkeys: what the browser's authenticator answers goes into the form's field, and the form is sent as any other.
// A form with data-passkey="ask" is only for browsers that have passkeys; one with data-now asks as soon as it is there.
"use strict";

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential || !navigator.credentials || !PublicKeyCredential.parseRequestOptionsFromJSON) {
    continue;
  }
  form.hidden = false;
  for (const told of document.querySelectorAll("[data-passkey-none]")) {
    told.hidden = true;
  }
  if (form.dataset.passkey !== "ask") {
    prepare(form);
  }
}

function prepare(form) {
  const field = form.elements.namedItem("credential");
  let asking = false;
  form.addEventListener("submit", async (event) => {
    if (asking && field.value) {
      return;
    }
    event.preventDefault();
    if (asking) {
      return;
    }
    asking = true;
    form.querySelector("[data-passkey-failed]").hidden = true;
    try {
      field.value = JSON.stringify((await asked(form)).toJSON());
    } catch {
      form.querySelector("[data-passkey-failed]").hidden = false;
      asking = false;
      return;
    }
    form.requestSubmit();
    asking = false;
  });
  if (form.dataset.now !== undefined) {
    form.requestSubmit();
  }
}

function asked(form) {
  if (form.dataset.passkey === "create") {
    const options = JSON.parse(form.dataset.options);
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  }
  const options = { challenge: form.dataset.challenge, rpId: form.dataset.host, userVerification: "required" };
  if (form.dataset.salt) {
    options.extensions = { prf: { eval: { first: form.dataset.salt } } };
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}
