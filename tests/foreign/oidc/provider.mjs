// A real OpenID provider on loopback: node provider.mjs PORT CALLBACK. Whoever types a name is that person.
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const [port, server] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const groups = { dora: ["lab"], carl: ["cooks"] };
const key = (kid, type, options, more) => ({ ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }), kid, use: "sig", ...more });

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "shopfloor",
      client_secret: "a secret of the test",
      redirect_uris: [`${server}/login`],
      post_logout_redirect_uris: [`${server}/login`],
      id_token_signed_response_alg: "PS256",
    },
  ],
  pkce: { required: () => true },
  scopes: ["openid", "profile", "groups"],
  claims: { profile: ["preferred_username"], groups: ["groups"] },
  jwks: { keys: [key("one", "rsa", { modulusLength: 2048 }), key("two", "ec", { namedCurve: "P-256" })] },
  enabledJWA: { idTokenSigningAlgValues: ["RS256", "PS256", "ES256"] },
  cookies: { keys: ["of the test"] },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, preferred_username: sub, groups: groups[sub] ?? [] }) }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
