//! Standard base64 with padding, as Go's `base64.StdEncoding`.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes bytes.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = usize::try_from(group >> (18 - 6 * place) & 63).unwrap_or(0);
            let shown = place <= u32::try_from(chunk.len()).unwrap_or(3);
            out.push(if shown { ALPHABET.get(digit).copied().map_or('=', char::from) } else { '=' });
        }
    }
    out
}

/// Decodes a text; line breaks in it do not count.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, String> {
    let bytes: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let illegal = |at: usize| format!("illegal base64 data at input byte {at}");
    if !bytes.len().is_multiple_of(4) {
        return Err(illegal(bytes.len()));
    }
    let padding = bytes.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    for (number, chunk) in bytes.chunks(4).enumerate() {
        let last = (number + 1) * 4 == bytes.len();
        let digits = if last { 4 - padding } else { 4 };
        let mut group = 0_u32;
        for (place, byte) in chunk.iter().enumerate() {
            let digit = match ALPHABET.iter().position(|known| known == byte) {
                Some(digit) if place < digits => digit,
                None if place >= digits => 0,
                _ => return Err(illegal(number * 4 + place)),
            };
            group = group << 6 | u32::try_from(digit).unwrap_or(0);
        }
        out.extend(group.to_be_bytes().iter().skip(1).take(digits - 1));
    }
    Ok(out)
}
