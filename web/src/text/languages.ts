// The languages that commitments are written in, each by its own name. Others can be named by the API.

const CODES = [
  ...[
    'en',
    'es',
    'fr',
    'pt',
    'id',
    'ko',
    'ka',
    'sw',
    'am',
    'ar',
    'bg',
    'bs',
    'cs',
    'da',
    'de',
    'el',
    'et',
    'fi',
    'fil',
    'hr',
  ],
  ...[
    'hy',
    'it',
    'lt',
    'lv',
    'mk',
    'mn',
    'nl',
    'no',
    'pl',
    'ro',
    'ru',
    'sk',
    'sq',
    'sr',
    'sv',
    'tr',
    'uk',
    'ur',
    'uz',
    'vi',
  ],
];

/** A language by its own name; its code, where the browser knows none. */
export function languageName(code: string): string {
  try {
    return new Intl.DisplayNames([code], { type: 'language', fallback: 'code' }).of(code) ?? code;
  } catch {
    return code;
  }
}

export const languages = CODES.map((code) => ({ code, name: languageName(code) }));
