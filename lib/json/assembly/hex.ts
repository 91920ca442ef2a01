import { ZERO } from '../../values/text/ascii'

/** Returns the number that four hex digits write; below 0 for other characters. */
export function readHex(at: usize): i32 {
  let value: i32 = 0
  for (let i: usize = 0; i < 4; i++) {
    const character: i32 = load<u8>(at + i)
    const decimal = character - ZERO
    const letter = (character | 0x20) - 0x61
    if ((decimal as u32) < 10) value = (value << 4) | decimal
    else if ((letter as u32) < 6) value = (value << 4) | (letter + 10)
    else return -1
  }
  return value
}
