// Package pan knows primary account numbers: how they are made, and how they are found where they must not be.
package pan

import "math/rand/v2"

// Lengths of a PAN: ISO/IEC 7812 allows up to 19 digits, no issuer uses fewer than 13.
const (
	Shortest = 13
	Longest  = 19
)

// brands are the beginnings that New uses; all lie in the ranges that Issued accepts.
var brands = []struct {
	prefix string
	length int
}{
	{"4", 16}, {"4", 13}, {"4", 19}, {"51", 16}, {"55", 16}, {"2221", 16}, {"34", 15}, {"37", 15}, {"36", 14}, {"6011", 16}, {"62", 19},
}

// New makes a PAN that passes the Luhn check.
func New(random *rand.Rand) string {
	brand := brands[0]
	// Most cards have 16 digits; the other lengths get a quarter.
	if random.IntN(4) == 0 {
		brand = brands[random.IntN(len(brands))]
	}
	digits := []byte(brand.prefix)
	for len(digits) < brand.length-1 {
		digits = append(digits, byte('0'+random.IntN(10)))
	}
	for check := byte('0'); ; check++ {
		if candidate := append(digits, check); Luhn(candidate) {
			return string(candidate)
		}
	}
}

// Luhn tells whether the digits end with the right check digit.
func Luhn(digits []byte) bool {
	sum := 0
	for i, digit := range digits {
		value := int(digit - '0')
		if (len(digits)-i)%2 == 0 {
			if value *= 2; value > 9 {
				value -= 9
			}
		}
		sum += value
	}
	return sum%10 == 0
}

// Issued tells whether an issuer's range covers the number: 3…6, or Mastercard's 2221–2720. Without this rule every tenth
// time stamp in nanoseconds (19 digits, beginning with 1) would be taken for a card.
func Issued(digits []byte) bool {
	switch {
	case len(digits) < Shortest || len(digits) > Longest:
		return false
	case digits[0] == '2':
		return string(digits[:4]) >= "2221" && string(digits[:4]) <= "2720"
	default:
		return digits[0] >= '3' && digits[0] <= '6'
	}
}

// Masked shows a PAN as a report may: the first six and the last four digits.
func Masked(digits []byte) string {
	shown := make([]byte, len(digits))
	for i, digit := range digits {
		if shown[i] = digit; i >= 6 && i < len(digits)-4 {
			shown[i] = '*'
		}
	}
	return string(shown)
}
