// Signing in, where the daemon has a token set.

import { actions, get } from "./api.js";
import { $, el, icon } from "./dom.js";
import { sentence } from "./format.js";
import { update } from "./store.js";

/** Whether one may go on; else the form is shown. Throws ApiError where the daemon does not answer. */
export async function checkAccount() {
  const answer = await get("sign-in");
  const account = { required: answer.token_required, signedIn: answer.signed_in };
  update({ account });
  return account.signedIn;
}

export function showSignIn() {
  $("main").hidden = true;
  $("sign-in").hidden = false;
  $("sign-out").hidden = true;
  $("token").focus();
}

/** ``onSignedIn`` is called after each sign-in, ``onSignedOut`` after each sign-out. */
export function setUpSignIn(onSignedIn, onSignedOut) {
  const form = $("sign-in-form");
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-busy") === "true") return;
    $("sign-in-error").textContent = "";
    button.setAttribute("aria-busy", "true");
    try {
      await actions.signIn($("token").value);
      form.reset();
      $("sign-in").hidden = true;
      onSignedIn();
    } catch (error) {
      $("sign-in-error").textContent = `${sentence(error.message)}.`;
      $("token").select();
      $("token").focus();
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
  $("sign-out").append(icon("out"), el("span", { class: "tool-word" }, "Sign out"));
  $("sign-out").setAttribute("aria-label", "Sign out");
  $("sign-out").addEventListener("click", async () => {
    try {
      await actions.signOut();
    } finally {
      onSignedOut();
    }
  });
}
