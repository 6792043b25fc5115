/** The nonce that this response's policy allows style elements with; Vite keeps it in a `meta`. */
export function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
}
