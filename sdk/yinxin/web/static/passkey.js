// Passkeys: what the browser's authenticator answers goes into the form's field, and the form is sent as any other.
"use strict";

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential || !navigator.credentials || !PublicKeyCredential.parseRequestOptionsFromJSON) {
    continue;
  }
  form.hidden = false;
  for (const told of document.querySelectorAll("[data-passkey-none]")) {
    told.hidden = true;
  }
  form.addEventListener("submit", async (event) => {
    const field = form.elements.namedItem("credential");
    if (field.value) {
      return;
    }
    event.preventDefault();
    try {
      field.value = JSON.stringify((await asked(form)).toJSON());
      form.requestSubmit();
    } catch {
      form.querySelector("[data-passkey-failed]").hidden = false;
    }
  });
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
