"use strict";

const TEXTS = {
  en: {
    title: "Sign in",
    setup: "This server is new: nobody has an account yet.",
    code: "Set-up code, as the server's console shows it",
    name: "Name",
    phrase: "Password, at least 12 characters",
    make: "Make the first admin",
    password: "Password",
    in: "Sign in",
    withToken: "Sign in with a token",
    token: "Token, as `shopfloor token create` printed it",
    failed: "The server answered {status}.",
    atProvider: "Sign in with {label}",
    coming: "Signing in with {label} …",
  },
  zh: {
    title: "登录",
    setup: "这是一台新服务器：还没有任何账户。",
    code: "设置码（服务器控制台上显示）",
    name: "名称",
    phrase: "密码，至少 12 个字符",
    make: "创建第一个管理员",
    password: "密码",
    in: "登录",
    withToken: "用令牌登录",
    token: "令牌（`shopfloor token create` 打印的内容）",
    failed: "服务器返回 {status}。",
    atProvider: "使用 {label} 登录",
    coming: "正在使用 {label} 登录…",
  },
};
/** What the server says in English, for whoever reads Chinese. */
const SAID = [
  [/^This name and password/, "名称与密码不匹配，或该账户已停用。"],
  [/^This token is unknown/, "该令牌不存在或已撤销：请索取新的令牌。"],
  [/^This is not the code/, "设置码不正确：请使用服务器最近一次启动时打印的设置码。"],
  [/^Too many wrong tries: try again in (\d+) s/, "错误次数过多：请在 $1 秒后重试。"],
  [/^The password has (\d+) characters/, "密码有 $1 个字符：需要 12 到 200 个。"],
  [/^The password holds the name/, "密码包含账户名称：请换一个。"],
  [/^The password repeats itself/, "密码是重复或连续的字符：请选择几个互不相关的词。"],
  [/^This sign-in was not begun/, "此次登录不是在本浏览器中开始的，或已失效：请重新开始。"],
  [/^The sign-in does not count: (.*)/, "此次登录无效：$1"],
  [/^(\S+) has no role in this plant/, "$1 在本工厂没有角色：请申请加入有角色的组，然后重新登录。"],
  [/^The account (\S+) is disabled here/, "账户 $1 在此已停用：请管理员启用。"],
  [/^The name '(.*)' belongs to another account/, "名称 $1 在此属于另一个账户：请联系本服务器的管理员。"],
  [/^Signing in with .* ended there \((.*)\)/, "身份提供方结束了登录（$1）：请重新开始，或使用本服务器的账户。"],
  [/^The identity provider at (\S+) cannot be reached/, "无法连接身份提供方 $1：本服务器的账户仍可登录。"],
  [/is no name for an account/, "这不是账户名称：请用小写字母写一个人的名字。"],
];
const $ = (id) => document.getElementById(id);
const stored = localStorage.getItem("shopfloor.lang");
let language = (stored ?? navigator.language).startsWith("zh") ? "zh" : "en";
let problem = "";
let ways = { setup: false, accounts: true, oidc: "" };
const NEXT = "shopfloor.next";
const back = new URLSearchParams(location.search);
let coming = back.has("state");

function show() {
  const texts = TEXTS[language];
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = `${texts.title} – Shopfloor`;
  document.querySelectorAll("[data-text]").forEach((element) => (element.textContent = texts[element.dataset.text]));
  $("language").textContent = language === "en" ? "中文" : "English";
  $("language").lang = language === "en" ? "zh" : "en";
  const name = ways.oidc;
  $("about").textContent = coming && name ? texts.coming.replace("{label}", name) : ways.setup ? texts.setup : "";
  $("provider").hidden = !name;
  $("at-provider").textContent = texts.atProvider.replace("{label}", name);
  $("setup").hidden = !ways.setup;
  $("login").hidden = !ways.accounts;
  $("with-token").hidden = ways.setup;
  $("with-token").open = !ways.accounts && !name;
  $("problem").textContent = said(problem);
}

function said(sentence) {
  if (language === "en") return sentence;
  const known = SAID.find(([pattern]) => pattern.test(sentence));
  return known ? known[1].replace("$1", known[0].exec(sentence)[1] ?? "") : sentence;
}

/** Only a path of this server: an address of elsewhere is none. */
function next() {
  const wanted = back.get("next") ?? (back.has("state") ? sessionStorage.getItem(NEXT) : null) ?? "/";
  return new URL(wanted, location.origin).origin === location.origin && !wanted.startsWith("/login") ? wanted : "/";
}

async function enter(path, body) {
  problem = "";
  const reply = await fetch(`/api/v1/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (reply.ok) {
    location.replace(next());
    return;
  }
  await tell(reply);
}

async function tell(reply) {
  const failed = { detail: TEXTS[language].failed.replace("{status}", reply.status) };
  problem = (await reply.json().catch(() => failed)).detail;
  coming = false;
  show();
}

/** To the identity provider, which sends the browser back to this page with a state. */
async function leave() {
  const reply = await fetch("/api/v1/login/oidc");
  if (!reply.ok) return void (await tell(reply));
  sessionStorage.setItem(NEXT, next());
  location.assign((await reply.json()).url);
}

/** Back from there: what came in the address is shown to the server once, and stands in no history. */
function comeBack() {
  const brought = {};
  for (const name of ["state", "code", "iss", "error"]) if (back.has(name)) brought[name] = back.get(name);
  history.replaceState(null, "", "/login");
  void enter("login/oidc", brought);
}

function on(form, path, body) {
  $(form).addEventListener("submit", (event) => {
    event.preventDefault();
    void enter(path, body());
  });
}

on("setup", "setup", () => ({ code: $("code").value, name: $("first").value, password: $("phrase").value }));
on("login", "login", () => ({ name: $("name").value, password: $("password").value }));
on("token-form", "login", () => ({ token: $("token").value }));
$("language").addEventListener("click", () => {
  language = language === "en" ? "zh" : "en";
  localStorage.setItem("shopfloor.lang", language);
  show();
});
$("at-provider").addEventListener("click", () => void leave());
show();
if (coming) comeBack();
fetch("/api/v1/login").then(async (reply) => {
  if (reply.ok) ways = await reply.json();
  show();
});
