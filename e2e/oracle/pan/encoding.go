package pan

import (
	"encoding/base64"
	"encoding/hex"
)

// runs calls found for every maximal run of at least `least` bytes of a kind.
func runs(body []byte, kind func(byte) bool, least int, found func([]byte)) {
	for i := 0; i < len(body); i++ {
		start := i
		for i < len(body) && kind(body[i]) {
			i++
		}
		if i-start >= least {
			found(body[start:i])
		}
	}
}

func decodeHex(run []byte) []byte {
	out := make([]byte, len(run)/2)
	// The run has hex digits only, an odd one at the end is cut off: no error is possible.
	n, _ := hex.Decode(out, run[:len(run)/2*2])
	return out[:n]
}

var (
	standard = base64.RawStdEncoding
	url      = base64.RawURLEncoding
)

func decodeBase64(run []byte) []byte {
	encoding := standard
	for _, b := range run {
		if b == '-' || b == '_' {
			encoding = url
		}
	}
	// A single character of a last group carries no byte.
	if len(run)%4 == 1 {
		run = run[:len(run)-1]
	}
	out := make([]byte, encoding.DecodedLen(len(run)))
	// What decodes before an alien character counts.
	n, _ := encoding.Decode(out, run)
	return out[:n]
}
