package main

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"wasmgear.test/oracle/fluxmsg"
	"wasmgear.test/oracle/snake"
)

// How many examples of a fault are kept; the count goes on.
const examples = 10

// Fault is one kind of thing that must not be.
type Fault struct {
	Count    uint64   `json:"count"`
	Examples []string `json:"examples,omitempty"`
}

func (f *Fault) add(format string, args ...any) {
	if f.Count++; len(f.Examples) < examples {
		f.Examples = append(f.Examples, fmt.Sprintf(format, args...))
	}
}

// Version is what one module version put out, by the header that names its digest.
type Version struct {
	Count uint64 `json:"count"`
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// input is what is known of one serial.
type input struct {
	hops   int // of the input
	left   int // of the first output
	out    uint32
	dead   uint32
	digest [8]byte
	seen   bool // on the input subject
}

// station is what a gear adds to a path: it has to be the same on every pod and after every restart.
type station struct{ gear, in, out uuid.UUID }

// Tally counts by serial. Its methods are called by one reader at a time.
type Tally struct {
	serials  map[uint64]*input
	versions map[string]*Version
	stations map[station]uint64
	reasons  map[string]uint64

	In, Probes, Out, Dead uint64
	highest               uint64
	// InDoubled are serials that the source itself published twice: then no count below means anything.
	InDoubled, Undecodable, Foreign, Doubled, Differing, Hops, Disorder Fault
	inSerials, accounted                                                uint64

	addedHops    int
	reasonHeader string
}

func newTally(addedHops int, reasonHeader string) *Tally {
	return &Tally{
		serials: map[uint64]*input{}, versions: map[string]*Version{}, stations: map[station]uint64{}, reasons: map[string]uint64{},
		addedHops: addedHops, reasonHeader: reasonHeader,
	}
}

// serial decodes a record and finds what is known of its serial. Probes have none and are nil without being a fault.
func (t *Tally) serial(where string, record snake.Record) (*fluxmsg.Message, uint64, *input) {
	message, err := fluxmsg.Decode(record.Body)
	if err != nil {
		t.Undecodable.add("%s, sequence %d: %v", where, record.Sequence, err)
		return nil, 0, nil
	}
	if message.Flags&fluxmsg.ProbeFlag != 0 {
		return &message, 0, nil
	}
	n, ok := message.Serial()
	if !ok {
		t.Undecodable.add("%s, sequence %d: no serial in data.n", where, record.Sequence)
		return nil, 0, nil
	}
	known := t.serials[n]
	if known == nil {
		known = &input{}
		t.serials[n] = known
	}
	return &message, n, known
}

// Input counts a record of the input subject.
func (t *Tally) Input(record snake.Record) {
	message, n, known := t.serial("input", record)
	if known == nil {
		if message != nil {
			t.Probes++
		}
		return
	}
	t.In++
	if known.seen {
		t.InDoubled.add("%d", n)
		return
	}
	known.seen, known.hops = true, len(message.Path)
	t.inSerials++
	if known.out+known.dead > 0 {
		t.accounted++
	}
}

// Output counts a record of an output subject.
func (t *Tally) Output(record snake.Record) {
	message, n, known := t.serial("output", record)
	if known == nil {
		if message != nil {
			t.Foreign.add("a probe on %s, sequence %d", record.Subject, record.Sequence)
		}
		return
	}
	t.Out++
	t.account(known)
	t.version(record.Header.Get("Wasmgear-Digest"), n)
	if n < t.highest {
		t.Disorder.add("%d after %d", n, t.highest)
	}
	t.highest = max(t.highest, n)
	t.checkHops(message, n)
	digest := fingerprint(message)
	if known.out == 0 {
		known.left = len(message.Path)
	}
	if known.out++; known.out > 1 && digest != known.digest {
		t.Differing.add("%d", n)
	}
	known.digest = digest
}

// DeadLetter counts a record of the dead-letter subject; its body is the input as it was.
func (t *Tally) DeadLetter(record snake.Record) {
	t.Dead++
	t.reasons[record.Header.Get(t.reasonHeader)]++
	// An input that is no fluxMsg is what dead letters are for.
	if message, err := fluxmsg.Decode(record.Body); err != nil || message.Data["n"] == nil {
		return
	}
	_, _, known := t.serial("dead letter", record)
	if known == nil {
		return
	}
	t.account(known)
	known.dead++
}

func (t *Tally) account(known *input) {
	if known.seen && known.out+known.dead == 0 {
		t.accounted++
	}
}

func (t *Tally) version(digest string, serial uint64) {
	v := t.versions[digest]
	if v == nil {
		v = &Version{First: serial}
		t.versions[digest] = v
	}
	v.Count++
	v.First, v.Last = min(v.First, serial), max(v.Last, serial)
}

// checkHops: the gear's arrival and departure end the path, and time never goes back in them. Whether the input's path is
// in front of them is checked at the end, because an output can be read before its input.
func (t *Tally) checkHops(message *fluxmsg.Message, n uint64) {
	path := message.Path
	if t.addedHops != 2 || len(path) < 2 {
		return
	}
	arrival, departure := path[len(path)-2], path[len(path)-1]
	switch {
	case arrival.Gear != departure.Gear:
		t.Hops.add("%d: arrives at gear %s, leaves from %s", n, arrival.Gear, departure.Gear)
	case arrival.Port[13] != 0x06 || departure.Port[13] != 0x07 || arrival.Gear[13] != 0x05:
		t.Hops.add("%d: gear %s, ports %s and %s have the wrong type bytes", n, arrival.Gear, arrival.Port, departure.Port)
	case departure.Time < arrival.Time:
		t.Hops.add("%d: leaves before it arrives", n)
	}
	t.stations[station{arrival.Gear, arrival.Port, departure.Port}]++
}

// finished tells whether every serial that came in has come out or died.
func (t *Tally) finished(expect, dropped uint64) bool {
	return t.inSerials >= expect && t.accounted+dropped >= t.inSerials
}

// close makes the final faults out of what is known by serial.
func (t *Tally) close(expect uint64) (lost, missing Fault) {
	numbers := make([]uint64, 0, len(t.serials))
	for n := range t.serials {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		switch known := t.serials[n]; {
		case !known.seen:
			t.Foreign.add("serial %d was never an input", n)
		case known.out+known.dead == 0:
			lost.add("%d", n)
		case t.addedHops >= 0 && known.out > 0 && known.left != known.hops+t.addedHops:
			t.Hops.add("%d: %d hops came in, %d went out", n, known.hops, known.left)
		}
		if known := t.serials[n]; known.out+known.dead > 1 {
			t.Doubled.add("%d: %d outputs, %d dead letters", n, known.out, known.dead)
		}
	}
	missing.Count = max(expect, t.inSerials) - t.inSerials
	return lost, missing
}

var canonical = func() cbor.EncMode {
	mode, err := cbor.CanonicalEncOptions().EncMode()
	if err != nil {
		panic(err) // the library's own options
	}
	return mode
}()

// fingerprint is equal for two messages that differ in nothing but the times of their hops.
func fingerprint(message *fluxmsg.Message) [8]byte {
	copied := *message
	copied.Path = slices.Clone(message.Path)
	for i := range copied.Path {
		copied.Path[i].Time = 0
	}
	body, err := canonical.Marshal(&copied)
	if err != nil {
		panic(err) // the library has just decoded it
	}
	sum := sha256.Sum256(body)
	return [8]byte(sum[:8])
}

func (s station) String() string {
	return strings.Join([]string{s.gear.String(), s.in.String(), s.out.String()}, " ")
}
