//! Which characters a font has.

use accord_document::readable::is_private_use;
use typst::text::FontInfo;

/// Numbers of characters there are in Unicode.
const CODE_POINTS: usize = 0x11_0000;

/// The characters of one font, one bit each.
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

/// Whether a character may be set at all. A code point of private use means nothing to a reader with other
/// fonts: PDF/A forbids it.
fn may_be_set(c: char) -> bool {
    !c.is_control() && !is_private_use(c) && c != '\u{feff}'
}
