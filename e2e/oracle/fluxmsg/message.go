// Package fluxmsg is the oracle's own fluxMsg: fluxrig's record, read and written by the CBOR library that fluxrig pins,
// with that library's default options. It shares nothing with the code it judges.
package fluxmsg

import (
	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"
)

// ProbeFlag is set in the handshake probes of a rack, which are never business data.
const ProbeFlag = 1

// Hop is one station of a message's way.
type Hop struct {
	Gear uuid.UUID `cbor:"g"`
	Port uuid.UUID `cbor:"p"`
	Time int64     `cbor:"t"`
}

// Message is one fluxMsg. The order of the fields is the order on the wire.
type Message struct {
	ID       uuid.UUID         `cbor:"id"`
	RefID    uuid.UUID         `cbor:"ref_id"`
	Trace    string            `cbor:"trace"`
	SourceID uuid.UUID         `cbor:"src_id"`
	Meta     map[string]string `cbor:"meta"`
	Data     map[string]any    `cbor:"data"`
	Flags    uint32            `cbor:"flags"`
	Raw      []byte            `cbor:"raw"`
	Path     []Hop             `cbor:"path"`
	Start    int64             `cbor:"ts"`
}

// Decode reads one record as fluxrig does.
func Decode(body []byte) (Message, error) {
	var m Message
	err := cbor.Unmarshal(body, &m)
	return m, err
}

// Encode writes the record as fluxrig does.
func (m *Message) Encode() ([]byte, error) { return cbor.Marshal(m) }

// Serial is the number that the generator put into `data.n`.
func (m *Message) Serial() (uint64, bool) {
	n, ok := m.Data["n"].(uint64)
	return n, ok
}
