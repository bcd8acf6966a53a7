package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// anything writes a value that the library can read into an empty interface.
func (g *generator) anything(depth int) {
	if g.chance(1) {
		g.raw(0xd9, 0xd9, 0xf7)
	}
	kind := g.IntN(20)
	if depth == 0 && kind >= 17 {
		kind -= 10
	}
	switch {
	case kind < 12:
		g.plain(kind)
	case kind < 14:
		g.tagged()
	case kind < 17:
		g.bytes(bytes.Repeat([]byte{byte(g.Uint32())}, g.IntN(20)))
	case kind == 17:
		g.container(arrayType, g.IntN(5), func(int) { g.anything(depth - 1) })
	case kind == 18 && g.chance(5):
		g.deep()
	default:
		g.container(mapType, g.IntN(5), func(int) {
			g.mapKey()
			g.anything(depth - 1)
		})
	}
}

// deep writes arrays in one another, not quite up to the limit of nesting.
func (g *generator) deep() {
	levels := g.IntN(24)
	for range levels {
		g.raw(arrayType | 1)
	}
	g.text("deep")
}

// plain writes a value that can also be a key.
func (g *generator) plain(kind int) {
	switch kind {
	case 0, 1, 2, 3, 4:
		g.text(g.words())
	case 5, 6:
		g.int64(int64(g.Uint64()) >> g.IntN(64))
	case 7:
		g.head(uintType, g.Uint64())
	case 8:
		g.raw(0xf4 + byte(g.IntN(2)))
	case 9:
		g.raw(0xfb)
		g.out = binary.BigEndian.AppendUint64(g.out, math.Float64bits(g.NormFloat64()*1e6))
	case 10:
		g.raw(0xf9, byte(g.IntN(0x7c)), byte(g.Uint32()))
	default:
		g.raw(otherType | byte(g.IntN(20)))
	}
}

func (g *generator) mapKey() {
	if g.chance(5) {
		g.null()
	} else if g.chance(10) {
		g.bytes([]byte(g.words()))
	} else {
		g.plain(g.IntN(12))
	}
}

func (g *generator) tagged() {
	switch g.IntN(7) {
	case 0:
		g.head(tagType, 0)
		g.text([]string{
			"2026-02-28T23:59:59Z", "2024-02-29T0:00:00.123456789012345+24:60", "1999-12-31T23:59:59,5-00:30",
		}[g.IntN(3)])
	case 1:
		g.head(tagType, 1)
		g.int64(int64(g.Uint64()) >> g.IntN(64))
	case 2:
		g.head(tagType, 1)
		g.raw(0xfb)
		g.out = binary.BigEndian.AppendUint64(g.out, math.Float64bits(float64(g.Uint32())/7))
	case 3:
		g.head(tagType, uint64(2+g.IntN(2)))
		g.bytes(bytes.Repeat([]byte{byte(g.Uint32())}, g.IntN(24)))
	case 4: // beyond 64 bits
		g.raw(nintType | 27)
		g.out = binary.BigEndian.AppendUint64(g.out, g.Uint64()|1<<63)
	case 5:
		g.raw(0xf9, 0x7c+byte(g.IntN(4)), byte(g.IntN(2)))
	default:
		g.head(tagType, []uint64{21, 37, 55799, 99, 1 << 50}[g.IntN(5)])
		g.plain(g.IntN(12))
	}
}

// skipped writes something that is well-formed and that nobody reads: bad text, bad tags and bad keys included.
func (g *generator) skipped(depth int) {
	switch kind := g.IntN(10); {
	case kind < 3:
		g.anything(depth)
	case kind == 3:
		g.head(textType, 2)
		g.raw(0xc3, 0x28)
	case kind == 4:
		g.head(tagType, uint64(g.IntN(4)))
		g.null()
	case kind == 5 && depth > 0:
		g.container(mapType, 2, func(int) {
			g.skipped(depth - 1)
			g.skipped(depth - 1)
		})
	case kind == 6 && depth > 0:
		g.container(arrayType, g.IntN(4), func(int) { g.skipped(depth - 1) })
	default:
		g.plain(g.IntN(12))
	}
}

var wordList = []string{
	"", "a", "4111111111111111", "EUR", "Müller & Söhne", "東京", "🙂", "line\nbreak", "0012.50", "\u0000", strings.Repeat("long ", 60),
}

func (g *generator) words() string {
	text := wordList[g.IntN(len(wordList)-1)]
	if g.chance(3) {
		text = wordList[len(wordList)-1]
	}
	if g.chance(40) {
		text += fmt.Sprint(g.IntN(1000))
	}
	return text
}
