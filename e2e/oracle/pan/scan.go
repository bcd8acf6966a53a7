package pan

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Finding is one PAN in clear.
type Finding struct {
	// Number is the PAN itself; print only Masked(Number).
	Number string
	// Offset is where the run of digits that holds it begins, in the scanned bytes or in what How says they decode to.
	Offset int
	// How the digits were written: text, grouped, integer, float, utf-16, or one of these inside base64 or hex.
	How string
	// Known tells that the number is on the scanner's list; otherwise it only looks like a card.
	Known bool
}

// Scanner looks for PANs in bytes of any kind.
//
// Numbers of its list are found anywhere: in the middle of longer digit runs, grouped by spaces or hyphens, as CBOR
// integers and floats, as UTF-16, and all of that inside base64 and hex. Other numbers are reported when they stand alone,
// pass the Luhn check and lie in an issuer's range.
type Scanner struct {
	known map[uint64]string
	// lengths says which lengths the list has at all.
	lengths [Longest + 1]bool
	// OnlyKnown switches the search for numbers that are not on the list off.
	OnlyKnown bool
}

// NewScanner makes a scanner for a list, which may be empty.
func NewScanner(list []string) *Scanner {
	s := &Scanner{known: make(map[uint64]string, len(list))}
	for _, number := range list {
		if len(number) >= Shortest && len(number) <= Longest {
			s.known[value([]byte(number))] = number
			s.lengths[len(number)] = true
		}
	}
	return s
}

// Listed is the number of different numbers on the list.
func (s *Scanner) Listed() int { return len(s.known) }

// How deep encodings may lie in one another: base64 of hex of text.
const nesting = 2

// Scan reports every finding in the bytes.
func (s *Scanner) Scan(body []byte, report func(Finding)) { s.scan(body, "", nesting, report) }

func (s *Scanner) scan(body []byte, inside string, depth int, report func(Finding)) {
	s.text(body, inside, report)
	s.binary(body, inside, report)
	s.wide(body, inside, report)
	if depth == 0 {
		return
	}
	// The shortest that can hold one: the nine bytes of an integer, or the digits of a number as base64.
	runs(body, isHex, 2*9, func(run []byte) {
		for shift := range 2 {
			s.scan(decodeHex(run[shift:]), inside+"hex:", depth-1, report)
		}
	})
	runs(body, isBase64, 9*4/3, func(run []byte) {
		// The run may begin in the middle of what was encoded, or before it.
		for shift := range min(4, len(run)) {
			s.scan(decodeBase64(run[shift:]), inside+"base64:", depth-1, report)
		}
	})
}

// text looks at digit runs, as they are and with single separators taken out.
func (s *Scanner) text(body []byte, inside string, report func(Finding)) {
	for i := 0; i < len(body); i++ {
		if !isDigit(body[i]) {
			continue
		}
		end := i
		var digits []byte
		grouped := false
		for end < len(body) {
			switch {
			case isDigit(body[end]):
				digits = append(digits, body[end])
				end++
				continue
			case isSeparator(body[end]) && end+1 < len(body) && isDigit(body[end+1]):
				grouped = true
				end++
				continue
			}
			break
		}
		if len(digits) >= Shortest {
			s.run(body, i, end, digits, grouped, inside, report)
		}
		i = end
	}
}

// run judges one run of digits that spans body[start:end].
func (s *Scanner) run(body []byte, start, end int, digits []byte, grouped bool, inside string, report func(Finding)) {
	how := "text"
	if grouped {
		how = "grouped"
	}
	hit := false
	for length := Shortest; length <= Longest; length++ {
		if !s.lengths[length] {
			continue
		}
		for at := 0; at+length <= len(digits); at++ {
			window := digits[at : at+length]
			if number, ok := s.known[value(window)]; ok && len(number) == length {
				hit = true
				report(Finding{number, start, inside + how, true})
			}
		}
	}
	if hit || s.OnlyKnown {
		return
	}
	s.strangers(body, start, end, inside, report)
}

// strangers judges numbers that nobody listed. They have to stand alone, else half of all identifiers would hold one, and
// their groups have to be those of a card: the middle of a UUID is groups of digits too.
func (s *Scanner) strangers(body []byte, start, end int, inside string, report func(Finding)) {
	if cardGroups(body[start:end]) && s.stranger(body, start, end, inside+"grouped", report) {
		return
	}
	for i := start; i < end; i++ {
		first := i
		for i < end && isDigit(body[i]) {
			i++
		}
		s.stranger(body, first, i, inside+"text", report)
	}
}

func (s *Scanner) stranger(body []byte, start, end int, how string, report func(Finding)) bool {
	digits := bytes.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, body[start:end])
	if !Issued(digits) || !Luhn(digits) || !alone(body, start, end) {
		return false
	}
	report(Finding{string(digits), start, how, false})
	return true
}

// binary looks at 64-bit integers and floats as CBOR writes them, at every offset.
func (s *Scanner) binary(body []byte, inside string, report func(Finding)) {
	for i := 0; i+9 <= len(body); i++ {
		raw := binary.BigEndian.Uint64(body[i+1:])
		switch body[i] {
		case 0x1b:
			if number, ok := s.known[raw]; ok {
				report(Finding{number, i, inside + "integer", true})
			}
		case 0xfb:
			float := math.Float64frombits(raw)
			if float >= 1e12 && float < 1e19 && float == math.Trunc(float) {
				if number, ok := s.known[uint64(float)]; ok {
					report(Finding{number, i, inside + "float", true})
				}
			}
		}
	}
}

// wide looks at digits with a zero byte after or before each: UTF-16 in either order.
func (s *Scanner) wide(body []byte, inside string, report func(Finding)) {
	var digits []byte
	start := 0
	flush := func() {
		if len(digits) >= Shortest {
			s.run(digits, 0, len(digits), digits, false, inside+"utf-16:", func(f Finding) {
				f.Offset = start
				report(f)
			})
		}
		digits = nil
	}
	for i := 0; i+1 < len(body); {
		if isDigit(body[i]) && body[i+1] == 0 {
			if digits == nil {
				start = i
			}
			digits = append(digits, body[i])
			i += 2
			continue
		}
		flush()
		i++
	}
	flush()
}

// value is the number that at most 19 digits mean. Lengths are compared apart, since 04… and 4… mean the same.
func value(digits []byte) uint64 {
	var v uint64
	for _, digit := range digits {
		v = v*10 + uint64(digit-'0')
	}
	return v
}

func isDigit(b byte) bool     { return b >= '0' && b <= '9' }
func isSeparator(b byte) bool { return b == ' ' || b == '-' }
func isHex(b byte) bool       { return isDigit(b) || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F' }
func isWord(b byte) bool {
	return isDigit(b) || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_'
}
func isBase64(b byte) bool { return isWord(b) || b == '+' || b == '/' || b == '-' }

// alone tells whether nothing that belongs to a longer word touches body[start:end].
func alone(body []byte, start, end int) bool {
	// A text or byte string of CBOR that is the number and nothing else: its head is a letter that says the length.
	if start > 0 && (int(body[start-1]) == 0x60+end-start || int(body[start-1]) == 0x40+end-start) {
		return true
	}
	touches := func(next, beyond int) bool {
		if next < 0 || next >= len(body) {
			return false
		}
		if isWord(body[next]) {
			return true
		}
		// "-7f" and "1.5": the separator itself ties the run to what is behind it.
		return (body[next] == '-' || body[next] == '.') && beyond >= 0 && beyond < len(body) && isWord(body[beyond])
	}
	return !touches(start-1, start-2) && !touches(end, end+1)
}

// cardGroups tells whether digits are grouped as cards print them, by one kind of separator.
func cardGroups(run []byte) bool {
	var sizes []byte
	var separator byte
	size := byte(0)
	for _, b := range run {
		if isDigit(b) {
			size++
			continue
		}
		if separator != 0 && separator != b {
			return false
		}
		separator = b
		sizes = append(sizes, size)
		size = 0
	}
	switch sizes = append(sizes, size); string(sizes) {
	case "\x04\x04\x04\x04", "\x04\x04\x04\x04\x03", "\x04\x06\x05", "\x04\x06\x04", "\x04\x04\x05", "\x04\x03\x03\x03":
		return true
	}
	return false
}
