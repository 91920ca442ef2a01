import fc from 'fast-check'

export const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: length, maxLength: length })
export const uuids: fc.Arbitrary<unknown> = fc.oneof(
  fc.uuid(),
  fc.uuid().map(u => u.toUpperCase()),
  hex(32),
  fc.uuid().map(u => `{${u}}`),
  fc.tuple(hex(8), hex(4), hex(4), hex(4), hex(12)).map(parts => parts.join('-')),
  fc.tuple(hex(7), hex(5), hex(4), hex(4), hex(12)).map(parts => parts.join('-')),
  fc
    .tuple(fc.uuid(), fc.nat(35), fc.constantFrom('g', '-', ' ', 'é', '\u0130', '\u0000'))
    .map(([u, i, c]) => u.slice(0, i) + c + u.slice(i + 1)),
)

export const networks: fc.Arbitrary<unknown> = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4Extended(),
  fc
    .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 130 }))
    .map(([a, bits]) => `${a}/${bits}`),
  fc.constantFrom(
    '10.0.0.0/8',
    '10/8',
    '10',
    '192.168.1',
    '192.168.0.0/24',
    '192.168.0.1/24',
    '::/0',
    '::',
    '0.0.0.0/0',
    '::ffff:1.2.3.4',
    '::ffff:1.2.3.0/120',
    '2001:4f8:3:ba::/64',
    '2001:4f8:3:ba:2e0:81ff:fe22:d1f1/128',
    '::1/128',
    '1.2.3.4/33',
    '1.2.3.4/-1',
    '1.2.3.4/032',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3',
    'fe80::1%eth0',
    '::1 ',
    ' 1.2.3.4',
    '1::2::3',
    '10.1.2.3/32',
    '2001:DB8::',
    '1.2.3.4/',
    'g::',
    '240.0.0.0',
    '224.0.0.0',
  ),
)
