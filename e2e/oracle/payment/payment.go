// Package payment makes card payments as a fluxrig rack emits them: the fields that fluxrig's ISO 8583 gears write, under
// the names that they use, with a card number in one of the places where card numbers turn up.
package payment

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"wasmgear.test/oracle/fluxmsg"
	"wasmgear.test/oracle/pan"
)

// The place of the card number in a payment; every payment has it in `card.pan` or in one of the others.
const (
	InCard     = "card"     // data.card.pan, text
	AsInteger  = "integer"  // data.card.pan, integer
	InFields   = "fields"   // data.iso8583.field.2, text, and track 2 in field 35
	InFreeText = "freetext" // in the middle of data.note
	InDepth    = "depth"    // data.customer.wallet[1].number
	Spaced     = "spaced"   // data.card.pan, groups with spaces
	Hyphened   = "hyphened" // data.note, groups with hyphens
)

// places with their shares of a hundred.
var places = []struct {
	name  string
	share int
}{{InCard, 40}, {AsInteger, 15}, {InFields, 15}, {InFreeText, 10}, {InDepth, 10}, {Spaced, 5}, {Hyphened, 5}}

// Payment is one made payment.
type Payment struct {
	Message fluxmsg.Message
	PAN     string
	Place   string
}

// Maker makes payments. The same seed and serial give the same payment; ids and times alone are new each time, because a
// server drops ids that it has just seen.
type Maker struct {
	Seed uint64
	// Pad is a number of bytes that is added to each payment, to reach a wanted size.
	Pad int
	// Gear and Port are the source that the first hop names.
	Gear, Port uuid.UUID
}

// NewMaker makes a maker whose source gear has ids as fluxrig makes them: byte 13 tells gear (05) and output port (07).
func NewMaker(seed uint64) *Maker {
	return &Maker{
		Seed: seed,
		Gear: uuid.MustParse("01930000-0000-7000-800a-0b0c0d050001"),
		Port: uuid.MustParse("01930000-0000-7000-800a-0b0c0d070001"),
	}
}

// Make makes the payment with a serial, as it leaves its source at a time.
func (m *Maker) Make(serial uint64, now time.Time) Payment {
	random := rand.New(rand.NewPCG(m.Seed, serial))
	number := pan.New(random)
	place := pick(random)
	amount := fmt.Sprintf("%012d", 1+random.IntN(500_000))
	stan := fmt.Sprintf("%06d", serial%1_000_000)
	rrn := fmt.Sprintf("%012d", random.Int64N(1_000_000_000_000))
	fields := map[string]any{
		"3": "000000", "4": amount, "7": now.UTC().Format("0102150405"), "11": stan, "37": rrn,
		"41": fmt.Sprintf("TERM%04d", random.IntN(10_000)), "42": fmt.Sprintf("MERCHANT%07d", random.IntN(10_000)), "49": "978",
		// Binary fields are byte strings since fluxrig v0.8.
		"52": bytes(random, 8),
	}
	card := map[string]any{"exp": fmt.Sprintf("%02d%02d", 27+random.IntN(6), 1+random.IntN(12))}
	data := map[string]any{
		"n":       serial,
		"card":    card,
		"amount":  map[string]any{"transaction": amount, "currency": "978"},
		"trace":   map[string]any{"stan": stan, "rrn": rrn},
		"iso8583": map[string]any{"field": fields},
		"online":  random.IntN(2) == 0,
		"score":   random.Float64(),
	}
	put(data, card, fields, place, number)
	if m.Pad > 0 {
		data["pad"] = make([]byte, m.Pad)
	}
	at := now.UnixNano()
	return Payment{
		Message: fluxmsg.Message{
			ID:       newID(random, now),
			SourceID: m.Gear,
			Meta: map[string]string{
				"iso8583.mti": "0100", "conn.id": fmt.Sprintf("c-%d", serial%16), "peer.ip": "192.0.2.77",
				"fluxrig.source": "line-in",
			},
			Data:  data,
			Path:  []fluxmsg.Hop{{Gear: m.Gear, Port: m.Port, Time: at}},
			Start: at,
		},
		PAN: number, Place: place,
	}
}

// put writes the number where its place says.
func put(data, card, fields map[string]any, place, number string) {
	switch place {
	case InCard:
		card["pan"] = number
	case AsInteger:
		value, _ := strconv.ParseUint(number, 10, 64) // 13 to 19 digits that begin with 2…6
		card["pan"] = value
	case InFields:
		fields["2"] = number
		fields["35"] = number + "=" + card["exp"].(string) + "101"
	case InFreeText:
		data["note"] = "customer read " + number + " over the phone"
	case InDepth:
		data["customer"] = map[string]any{"wallet": []any{"none", map[string]any{"number": number, "default": true}}}
	case Spaced:
		card["pan"] = grouped(number, " ")
	case Hyphened:
		data["note"] = "ref " + grouped(number, "-") + " see ticket"
	}
}

// grouped writes a number in groups of four.
func grouped(number, separator string) string {
	var groups []string
	for ; len(number) > 4; number = number[4:] {
		groups = append(groups, number[:4])
	}
	return strings.Join(append(groups, number), separator)
}

func pick(random *rand.Rand) string {
	left := random.IntN(100)
	for _, place := range places {
		if left -= place.share; left < 0 {
			return place.name
		}
	}
	return InCard
}

func bytes(random *rand.Rand, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		// Never a digit: nothing in a payment but its card may look like one.
		out[i] = 0x80 | byte(random.UintN(128))
	}
	return out
}

// newID makes a UUID of version 7, as fluxrig's ids are. The time in it is the real one, to the nanosecond, so that two runs
// with one seed differ.
func newID(random *rand.Rand, now time.Time) uuid.UUID {
	var id uuid.UUID
	millis, rest := uint64(now.UnixMilli()), uint64(now.Nanosecond()%1_000_000)
	for i := range 6 {
		id[i] = byte(millis >> (40 - 8*i))
	}
	for i := 6; i < 16; i++ {
		id[i] = byte(random.UintN(256))
	}
	id[7], id[9], id[10] = byte(rest>>12), byte(rest>>4), byte(rest<<4)|id[10]&0x0f
	id[6] = 0x70 | id[6]&0x0f
	id[8] = 0x80 | id[8]&0x3f
	return id
}
