// How pages name the language of a text.

/** Returns the name of a language in that language, or its code if the browser knows no name. */
export function languageName(code: string): string {
  try {
    return new Intl.DisplayNames([code], { type: 'language', fallback: 'code' }).of(code) ?? code;
  } catch {
    return code;
  }
}
