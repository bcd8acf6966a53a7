package pan

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

const card = "4111111111111111"

func scan(s *Scanner, body string) []Finding {
	var all []Finding
	s.Scan([]byte(body), func(f Finding) { all = append(all, f) })
	return all
}

func bigEndian(head byte, v uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte{head}, v))
}

func wide(text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}

func TestEveryNewNumberPassesLuhnAndIsIssued(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	lengths := map[int]int{}
	for range 10_000 {
		number := New(random)
		if !Luhn([]byte(number)) || !Issued([]byte(number)) {
			t.Fatalf("%s is no card", number)
		}
		lengths[len(number)]++
	}
	if len(lengths) < 5 || lengths[16] < 7000 {
		t.Fatal(lengths)
	}
}

func TestLuhnKnowsPublishedNumbers(t *testing.T) {
	for number, valid := range map[string]bool{card: true, "4111111111111112": false, "378282246310005": true, "79927398713": true, "79927398710": false} {
		if Luhn([]byte(number)) != valid {
			t.Errorf("%s: %v is wrong", number, !valid)
		}
	}
}

// Each of these holds the listed number; a scan that misses one would call a leak clean.
func TestAListedNumberIsFoundHoweverItIsWritten(t *testing.T) {
	number, _ := strconv.ParseUint(card, 10, 64)
	cases := map[string]string{
		"alone":                    card,
		"in a sentence":            "card " + card + " declined",
		"in longer digits":         "99" + card + "00",
		"inside a word":            "x" + card + "y",
		"spaces":                   "4111 1111 1111 1111",
		"hyphens":                  "4111-1111-1111-1111",
		"odd groups":               "41-1111111 11111111",
		"after another number":     "05 " + card,
		"CBOR integer":             "\xa1\x61n" + bigEndian(0x1b, number),
		"CBOR float":               bigEndian(0xfb, math.Float64bits(float64(number))),
		"UTF-16":                   "\x01" + wide("card "+card),
		"hex of text":              hex.EncodeToString([]byte("card " + card)),
		"hex, upper case, odd":     "A" + strings.ToUpper(hex.EncodeToString([]byte(card))),
		"hex of a CBOR integer":    hex.EncodeToString([]byte(bigEndian(0x1b, number))),
		"base64":                   base64.StdEncoding.EncodeToString([]byte("card " + card)),
		"base64, not at its start": "ab" + base64.StdEncoding.EncodeToString([]byte("card "+card)),
		"base64 for URLs":          base64.RawURLEncoding.EncodeToString([]byte("\xff\xfe?>" + card)),
		"base64 of hex":            base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString([]byte(card)))),
	}
	for name, body := range cases {
		found := scan(NewScanner([]string{card}), body)
		if len(found) == 0 || found[0].Number != card || !found[0].Known {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// valid appends the check digit.
func valid(digits string) string {
	for check := '0'; ; check++ {
		if number := digits + string(check); Luhn([]byte(number)) {
			return number
		}
	}
}

func TestAStrangersNumberIsFoundWhereItStandsAlone(t *testing.T) {
	for name, c := range map[string]struct {
		body  string
		found bool
	}{
		"alone":                     {card, true},
		"in JSON":                   {`{"pan":"` + card + `"}`, true},
		"CBOR text":                 {"\xa1\x63pan\x70" + card + "\x61x", true},
		"CBOR bytes":                {"\x50" + card + "\x61x", true},
		"grouped like a card":       {"4111 1111 1111 1111", true},
		"behind another number":     {"code 05 " + card, true},
		"amex groups":               {"3782 822463 10005", true},
		"wrong check digit":         {"4111111111111112", false},
		"no issuer begins with 1":   {valid("170000000000000000"), false},
		"time stamp in nanoseconds": {valid("176390000012345678"), false},
		"part of an identifier":     {"a" + card, false},
		"middle of a UUID":          {"0192f3a0-4111-1111-1111-111112345678", false},
		"decimal places":            {"0." + card, false},
		"too short":                 {"411111111111", false},
	} {
		if found := scan(NewScanner(nil), c.body); (len(found) > 0) != c.found {
			t.Errorf("%s: %v", name, found)
		}
	}
}

func TestAMaskedNumberIsNotFound(t *testing.T) {
	s := NewScanner([]string{card})
	for _, body := range []string{"************1111", "411111******1111", Masked([]byte(card))} {
		if found := scan(s, body); len(found) > 0 {
			t.Errorf("%s: %v", body, found)
		}
	}
}

func TestRandomIdentifiersAndDigestsRaiseNoAlarm(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	s := NewScanner([]string{card})
	for range 20_000 {
		raw := make([]byte, 32)
		for i := range raw {
			raw[i] = byte(random.UintN(256))
		}
		text := hex.EncodeToString(raw)
		uuid := fmt.Sprintf("%s-%s-%s-%s-%s", text[:8], text[8:12], text[12:16], text[16:20], text[20:32])
		for _, body := range []string{text, uuid, uuid + "-3-flux.msg.edge-a.line-in.out", string(raw)} {
			if found := scan(s, body); len(found) > 0 {
				t.Fatalf("%q: %v", body, found)
			}
		}
	}
}
