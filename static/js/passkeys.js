// Ties allauth's passkey script to the one form of a page that has data-passkey="<kind of form>".
(() => {
  "use strict";
  const form = document.querySelector("[data-passkey]");
  if (!form) return;
  const problem = form.querySelector("[data-passkey-problem]");
  const button = { loginForm: "login", authenticateForm: "authenticate", addForm: "add" }[form.dataset.passkey];

  if (!window.PublicKeyCredential) {
    form.querySelector("#passkey-button").disabled = true;
    return;
  }
  allauth.webauthn.forms[form.dataset.passkey]({
    ids: { [button]: "passkey-button", credential: "passkey-credential", passwordless: form.querySelector("[name=passwordless]")?.id },
    data: form.dataset.passkeyOptions ? JSON.parse(form.dataset.passkeyOptions) : undefined,
  });
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    problem.hidden = false;
    problem.focus();
  });
})();
