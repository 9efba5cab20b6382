import { defineConfig, loadEnv, type Plugin } from "vite";

/** The built page may load nothing but itself: parks have no internet, and nothing injected may run. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
].join("; ");

/** Only in the build: the development server injects inline styles. */
function contentSecurityPolicy(): Plugin {
  return {
    name: "content-security-policy",
    apply: "build",
    transformIndexHtml: () => [
      {
        tag: "meta",
        attrs: { "http-equiv": "Content-Security-Policy", content: CONTENT_SECURITY_POLICY },
        injectTo: "head-prepend",
      },
    ],
  };
}

export default defineConfig(({ mode }) => ({
  base: "./",
  plugins: [contentSecurityPolicy()],
  build: { target: "es2022", sourcemap: false, modulePreload: { polyfill: false } },
  server: { proxy: { "/api": loadEnv(mode, ".", "FENCELINE_")["FENCELINE_GATEWAY_URL"] ?? "http://127.0.0.1:8000" } },
}));
