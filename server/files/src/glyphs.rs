//! The set of characters that a font has.

use accord_document::readable::is_private_use;
use typst::text::FontInfo;

/// Number of code points in Unicode.
const CODE_POINTS: usize = 0x11_0000;

/// The set of characters that one font has, with one bit for each code point.
#[derive(Clone)]
pub(super) struct Glyphs(Box<[u64]>);

impl Glyphs {
    pub(super) fn of(info: &FontInfo) -> Self {
        let mut bits = vec![0; CODE_POINTS / 64].into_boxed_slice();
        for c in info.coverage.iter().filter(|c| (*c as usize) < CODE_POINTS) {
            bits[c as usize / 64] |= 1 << (c % 64);
        }
        Self(bits)
    }

    pub(super) fn has(&self, c: char) -> bool {
        may_be_set(c) && self.0[c as usize / 64] & (1 << (c as u32 % 64)) != 0
    }
}

/// Whether a character is allowed in a PDF at all. Control characters, U+FEFF and private-use code points are not
/// allowed. A reader with other fonts can't know the meaning of a private-use code point, and PDF/A forbids such code
/// points.
fn may_be_set(c: char) -> bool {
    !c.is_control() && !is_private_use(c) && c != '\u{feff}'
}
