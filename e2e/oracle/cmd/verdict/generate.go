package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator makes valid records in odd encodings. The same seed makes the same records.
type generator struct{ writer }

func newGenerator(seed uint64) *generator {
	return &generator{writer{Rand: rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))}}
}

// pair is one entry of a record.
type pair struct {
	field string // empty for entries that nobody reads
	bytes []byte
}

var fields = []string{"id", "ref_id", "trace", "src_id", "meta", "data", "flags", "raw", "path", "ts"}

func (g *generator) next() []byte {
	g.out = nil
	if g.chance(1) {
		return g.nothing()
	}
	pairs := make([]pair, 0, 16)
	for _, field := range fields {
		if g.chance(94) {
			pairs = append(pairs, pair{field, g.entry(field, func() { g.value(field) })})
		}
	}
	if g.chance(50) {
		g.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	}
	for g.chance(15) { // a second one is not read: whatever is well-formed will do
		at := g.IntN(len(pairs) + 1)
		for _, earlier := range pairs[:at] {
			if earlier.field != "" && g.chance(40) {
				again := pair{"", g.entry(earlier.field, func() { g.skipped(3) })}
				pairs = append(pairs[:at], append([]pair{again}, pairs[at:]...)...)
				break
			}
		}
	}
	for g.chance(25) {
		at := g.IntN(len(pairs) + 1)
		pairs = append(pairs[:at], append([]pair{{"", g.unknown()}}, pairs[at:]...)...)
	}
	g.out = make([]byte, 0, 512)
	for g.chance(4) {
		g.raw(0xd9, 0xd9, 0xf7)
	}
	if g.chance(1) {
		g.head(tagType, 4711)
	}
	g.container(mapType, len(pairs), func(i int) { g.raw(pairs[i].bytes...) })
	return g.out
}

// nothing is a record that is null as a whole.
func (g *generator) nothing() []byte {
	if g.chance(30) {
		g.raw(0xd9, 0xd9, 0xf7)
	}
	g.null()
	return g.out
}

// entry writes a key in some letter case, and a value.
func (g *generator) entry(key string, value func()) []byte {
	g.out = make([]byte, 0, 64)
	switch {
	case g.chance(3):
		key = strings.ToUpper(key)
	case g.chance(3):
		key = strings.ToUpper(key[:1]) + key[1:]
	}
	g.text(key)
	value()
	return g.out
}

func (g *generator) unknown() []byte {
	g.out = make([]byte, 0, 64)
	switch g.IntN(4) {
	case 0:
		g.int64(int64(g.Uint64()))
	case 1:
		g.text(g.words() + "?")
	default:
		g.text([]string{"", "idd", "pat", "paths", "Kind", "ſrc_id", "x-id"}[g.IntN(7)])
	}
	g.skipped(3)
	return g.out
}

func (g *generator) value(field string) {
	if g.chance(2) {
		g.head(tagType, []uint64{37, 55799, 99, 1 << 40}[g.IntN(4)])
	}
	if g.chance(3) {
		g.null()
		return
	}
	switch field {
	case "id", "ref_id", "src_id":
		g.identity()
	case "trace":
		g.text(fmt.Sprintf("%016x%016x", g.Uint64(), g.Uint64()))
	case "meta":
		g.meta()
	case "data":
		g.data()
	case "flags":
		g.smallNumber(uint64(g.Uint32() >> g.IntN(32)))
	case "raw":
		g.rawPayload()
	case "path":
		g.container(arrayType, g.hops(), func(int) { g.hop() })
	case "ts":
		g.number(int64(g.Uint64()) >> g.IntN(64))
	}
}

func (g *generator) identity() {
	id := make([]byte, 16)
	if !g.chance(6) {
		binary.BigEndian.PutUint64(id, g.Uint64())
		binary.BigEndian.PutUint64(id[8:], g.Uint64())
	}
	switch {
	case g.chance(2): // a list of numbers, of any length
		n := g.IntN(20)
		g.container(arrayType, n, func(i int) {
			if i < 16 {
				g.byteNumber(id[i])
			} else {
				g.skipped(2)
			}
		})
	case g.chance(2):
		g.head(tagType, 2)
		g.bytes(id)
	default:
		g.bytes(id)
	}
}

// smallNumber writes a number from 0 on in one of the forms that the library takes.
func (g *generator) smallNumber(value uint64) {
	switch {
	case value < 20 && g.chance(3):
		g.raw(otherType | byte(value))
	case g.chance(3):
		g.head(tagType, 2)
		g.bytes(binary.BigEndian.AppendUint64(nil, value))
	default:
		g.head(uintType, value)
	}
}

func (g *generator) number(value int64) {
	switch {
	case value < 0 && g.chance(3):
		g.head(tagType, 3)
		g.bytes(binary.BigEndian.AppendUint64(nil, uint64(^value)))
	case value >= 0:
		g.smallNumber(uint64(value))
	default:
		g.int64(value)
	}
}

func (g *generator) byteNumber(value byte) {
	if value == 0 && g.chance(10) {
		g.null()
		return
	}
	g.smallNumber(uint64(value))
}

func (g *generator) rawPayload() {
	content := make([]byte, g.IntN(60))
	for i := range content {
		content[i] = byte(g.Uint32())
	}
	switch {
	case g.chance(50):
		g.raw(0xf6)
	case g.chance(10):
		g.container(arrayType, len(content), func(i int) { g.byteNumber(content[i]) })
	default:
		g.bytes(content)
	}
}

// hops is how many: mostly few, sometimes around the lengths at which a head grows.
func (g *generator) hops() int {
	switch g.IntN(12) {
	case 0:
		return 20 + g.IntN(6)
	case 1:
		return g.IntN(64)
	default:
		return g.IntN(6)
	}
}

func (g *generator) hop() {
	if g.chance(1) {
		g.null()
		return
	}
	if g.chance(1) {
		g.head(tagType, 55799)
	}
	keys := []string{"g", "p", "t"}
	if g.chance(5) {
		g.Shuffle(3, func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		keys = append(keys, "x")
		if g.chance(50) {
			keys = keys[1:]
		}
	}
	g.container(mapType, len(keys), func(i int) {
		key := keys[i]
		if g.chance(1) {
			key = strings.ToUpper(key)
		}
		g.text(key)
		switch keys[i] {
		case "g", "p":
			g.identity()
		case "t":
			g.number(int64(g.Uint64() >> 1))
		default:
			g.skipped(2)
		}
	})
}

var metaKeys = []string{
	"traceparent", "tracestate", "baggage", "flux.port", "conn.id", "iso8583.mti", "peer.ip", "type", "Traceparent", "flux.portx", "",
}

func (g *generator) meta() {
	g.container(mapType, g.IntN(7), func(int) {
		switch {
		case g.chance(2):
			g.null()
		case g.chance(80):
			g.text(metaKeys[g.IntN(len(metaKeys))])
		default:
			g.text(g.words())
		}
		if g.chance(4) {
			g.null()
		} else {
			g.text(g.words())
		}
	})
}

var dataKeys = []string{"card", "amount", "trace", "iso8583", "n", "note", "pan", "id"}

func (g *generator) data() {
	g.container(mapType, g.IntN(7), func(int) {
		if g.chance(1) {
			g.null()
		} else if g.chance(80) {
			g.text(dataKeys[g.IntN(len(dataKeys))])
		} else {
			g.text(g.words())
		}
		g.anything(3)
	})
}
