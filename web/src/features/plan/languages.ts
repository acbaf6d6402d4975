// The languages that people can choose for a commitment, each by its own name. The API also accepts other languages.

import { languageName } from '../../text/languageName';

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

export const languageChoices = CODES.map((code) => ({ code, name: languageName(code) }));
