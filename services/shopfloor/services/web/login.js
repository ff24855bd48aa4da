"use strict";

document.getElementById("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = document.getElementById("token").value;
  const reply = await fetch("/api/v1/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (reply.ok) {
    location.replace("/");
    return;
  }
  const said = await reply.json().catch(() => ({ detail: `The server answered ${reply.status}.` }));
  document.getElementById("problem").textContent = said.detail;
});
