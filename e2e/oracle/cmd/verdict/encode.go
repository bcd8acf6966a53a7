package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// Major types of CBOR.
const (
	uintType byte = iota << 5
	nintType
	bytesType
	textType
	arrayType
	mapType
	tagType
	otherType
)

const breakCode = 0xff

// writer writes CBOR in forms that are valid but not what anybody would choose: heads longer than needed, strings in
// chunks, containers without a length.
type writer struct {
	*rand.Rand
	out []byte
}

// chance is true in percent of all calls.
func (w *writer) chance(percent int) bool { return w.IntN(100) < percent }

func (w *writer) raw(content ...byte) { w.out = append(w.out, content...) }

func (w *writer) head(major byte, value uint64) {
	width := 0
	switch {
	case value > math.MaxUint32:
		width = 4
	case value > math.MaxUint16:
		width = 3
	case value > math.MaxUint8:
		width = 2
	case value > 23:
		width = 1
	}
	if w.chance(4) {
		width += w.IntN(5 - width)
	}
	switch width {
	case 0:
		w.raw(major | byte(value))
	case 1:
		w.raw(major|24, byte(value))
	case 2:
		w.raw(major | 25)
		w.out = binary.BigEndian.AppendUint16(w.out, uint16(value))
	case 3:
		w.raw(major | 26)
		w.out = binary.BigEndian.AppendUint32(w.out, uint32(value))
	default:
		w.raw(major | 27)
		w.out = binary.BigEndian.AppendUint64(w.out, value)
	}
}

func (w *writer) int64(value int64) {
	if value >= 0 {
		w.head(uintType, uint64(value))
	} else {
		w.head(nintType, uint64(^value))
	}
}

// text writes a text, sometimes in chunks that end between two characters.
func (w *writer) text(content string) {
	if !w.chance(5) {
		w.head(textType, uint64(len(content)))
		w.raw([]byte(content)...)
		return
	}
	w.raw(textType | 31)
	start := 0
	for at := range content {
		if at > start && w.chance(30) {
			w.head(textType, uint64(at-start))
			w.raw([]byte(content[start:at])...)
			start = at
		}
	}
	w.head(textType, uint64(len(content)-start))
	w.raw([]byte(content[start:])...)
	if w.chance(20) {
		w.head(textType, 0)
	}
	w.raw(breakCode)
}

// bytes writes a byte string, sometimes in chunks.
func (w *writer) bytes(content []byte) {
	if !w.chance(5) {
		w.head(bytesType, uint64(len(content)))
		w.raw(content...)
		return
	}
	w.raw(bytesType | 31)
	for len(content) > 0 {
		n := 1 + w.IntN(len(content))
		w.head(bytesType, uint64(n))
		w.raw(content[:n]...)
		content = content[n:]
	}
	w.raw(breakCode)
}

// container writes an array or a map of n elements or pairs, each written by element.
func (w *writer) container(major byte, n int, element func(i int)) {
	indefinite := w.chance(20)
	if indefinite {
		w.raw(major | 31)
	} else {
		w.head(major, uint64(n))
	}
	for i := range n {
		element(i)
	}
	if indefinite {
		w.raw(breakCode)
	}
}

// null writes null or undefined, which the library takes for the same.
func (w *writer) null() { w.raw(0xf6 + byte(w.IntN(2))) }
